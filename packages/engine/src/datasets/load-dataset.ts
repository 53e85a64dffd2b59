/**
 * Finds a data set on this machine and loads it: a built-in one is generated or read from its own files, any other one is read from the
 * cache of those that were fetched. `sources` says where each built-in data set comes from.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  AppError,
  type Dataset,
  type DatasetName,
  type DatasetSpec,
  datasets,
  imagesNeeded,
  isBuiltIn,
} from '@funnel/contracts';
import { openCanonical, readCanonicalSplit } from './canonical-file.ts';
import { cachedFile, cacheFolder, checkCached, touchCached } from './dataset-cache.ts';
import { colourGlyphs, glyphs } from './glyphs.ts';
import { idxImages, readIdxSplit } from './idx.ts';
import type { LoadedDataset, Split, SplitName } from './split.ts';

/** `dir`: the value of FUNNEL_DATA. `home`: the value of FUNNEL_HOME ('.funnel' unless given); its folder `data` receives downloads. */
export type DataFolders = { readonly dir?: string | null; readonly home?: string | null };

/** Folders that may hold `mnist/` and `fashion-mnist/`, in the order in which they are searched. */
export const dataFolders = ({ dir, home }: DataFolders): readonly string[] => [
  ...(dir ? [resolve(dir)] : []),
  resolve(home || '.funnel', 'data'),
];

/** The first folder that has every file of a data set, or null. Does not check the content of the files. */
export const findDataset = (name: DatasetName, folders: DataFolders): string | null => {
  const names = datasets[name].files.map((file) => file.name);
  const isComplete = (folder: string): boolean => names.every((file) => existsSync(join(folder, file)));
  return (
    dataFolders(folders)
      .map((folder) => join(folder, name))
      .find(isComplete) ?? null
  );
};

export type Source =
  | {
      /** Generates the first `count` images of a split. */
      readonly generate: (split: SplitName, count: number) => Split;
    }
  | {
      /** Reads the first `count` images of a split from the declared files in a folder, and verifies the files. */
      readonly read: (name: DatasetName, folder: string, split: SplitName, count: number) => Promise<Split>;
      /** URLs of folders that have the files. */
      readonly mirrors: readonly string[];
    };

/** The code does not compile if a data set of `contracts/datasets.ts` has no source here. */
export const sources: Readonly<Record<DatasetName, Source>> = {
  mnist: {
    read: readIdxSplit,
    mirrors: [
      'https://ossci-datasets.s3.amazonaws.com/mnist/',
      'https://storage.googleapis.com/cvdf-datasets/mnist/',
    ],
  },
  'fashion-mnist': {
    read: readIdxSplit,
    mirrors: [
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
      'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
    ],
  },
  glyphs: { generate: glyphs },
  'glyphs-colour': { generate: colourGlyphs },
};

type Reader = (split: SplitName, count: number) => Promise<Split>;

/** The SHA-256 of the canonical form of a data set. */
export const canonicalDigest = ({ name, content }: Pick<DatasetSpec, 'name' | 'content'>): string => {
  if (content) return content.digest;
  if (isBuiltIn(name)) return datasets[name].content;
  throw new AppError(
    'DATASET_UNKNOWN',
    `Expected a built-in data set or one with its content, but got ${name}`,
  );
};

/** Reads a data set that was fetched. Removes its file where the content is damaged, so that the worker fetches it again. */
const cachedReader = (path: string, digest: string): Reader => {
  const opened = once(async () => {
    await touchCached(path);
    await checkCached(path, digest);
    return openCanonical(path);
  });
  return async (split, count) => readCanonicalSplit(await opened(), split, count);
};

/** Generates the images that a specification names, or reads them from the own files of a built-in data set. Null: they are not here. */
const findOwnReader = async (spec: DatasetSpec, folders: DataFolders): Promise<Reader | null> => {
  const { name } = spec;
  if (!isBuiltIn(name)) return null;
  const source = sources[name];
  if ('generate' in source) return async (split, count) => source.generate(split, count);
  const dataset: Dataset = datasets[name];
  const folder = findDataset(name, folders);
  if (folder === null || (await idxImages(folder, dataset)) < imagesNeeded(spec)) return null;
  return (split, count) => source.read(name, folder, split, count);
};

/** Whether this machine has the images that a specification names without having fetched them. Looks at the headers of files only. */
export const hasOwnImages = async (spec: DatasetSpec, folders: DataFolders): Promise<boolean> =>
  (await findOwnReader(spec, folders)) !== null;

/** Reads the images that a specification names, from the place on this machine that has them all. Null: no place has them all. */
const findReader = async (spec: DatasetSpec, folders: DataFolders): Promise<Reader | null> => {
  const own = await findOwnReader(spec, folders);
  if (own !== null) return own;
  const digest = canonicalDigest(spec);
  const path = cachedFile(cacheFolder(folders), digest);
  return existsSync(path) ? cachedReader(path, digest) : null;
};

/** A reader of a built-in data set whose files are damaged or too few. It says so when it is asked for images. */
const incompleteReader = (name: string, folders: DataFolders): Reader | null => {
  if (!isBuiltIn(name)) return null;
  const [source, folder] = [sources[name], findDataset(name, folders)];
  if ('generate' in source || folder === null) return null;
  return (split, count) => source.read(name, folder, split, count);
};

/**
 * The first `spec.train` training and `spec.test` test images of a data set. Throws DATASET_MISSING where the data set is not on this
 * machine. `train` and `test` of the answer throw DATASET_MISSING where the folder has an extract that is too small, and DATASET_CORRUPT
 * where a file differs from its declaration.
 */
export const loadDataset = async (spec: DatasetSpec, folders: DataFolders = {}): Promise<LoadedDataset> => {
  const reader = (await findReader(spec, folders)) ?? incompleteReader(spec.name, folders);
  if (reader === null) throw missing(spec, folders);
  return {
    spec,
    train: once(() => reader('train', spec.train)),
    test: once(() => reader('test', spec.test)),
  };
};

/** Reads and checks every file of a data set. Answers the folder with the files, or null for a generated one. Throws like `loadDataset`. */
export const verifyDataset = async (name: DatasetName, folders: DataFolders = {}): Promise<string | null> => {
  const source = sources[name];
  if ('generate' in source) return null;
  const folder = findDataset(name, folders);
  if (folder === null) throw missing({ name }, folders);
  for (const split of ['train', 'test'] as const)
    await source.read(name, folder, split, datasets[name][split]);
  return folder;
};

const missing = (spec: Pick<DatasetSpec, 'name' | 'content'>, folders: DataFolders): AppError => {
  const { name } = spec;
  const cached = cachedFile(cacheFolder(folders), canonicalDigest(spec));
  if (!isBuiltIn(name))
    return new AppError(
      'DATASET_MISSING',
      `Expected the data set ${name} as ${cached}, but there is no such file`,
      {
        dataset: name,
      },
    );
  const names = datasets[name].files.map((file) => file.name).join(', ');
  return new AppError(
    'DATASET_MISSING',
    `Expected ${names} in a folder ${name}, but there is no folder ${name} in any of: ${dataFolders(folders).join(', ')}`,
    { dataset: name, searched: dataFolders(folders) },
  );
};

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
