/** Finds a data set on this machine and loads it. `sources` says where each data set comes from. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError, type DatasetName, type DatasetSpec, datasets, isBuiltIn } from '@funnel/contracts';
import { glyphs } from './glyphs.ts';
import { readIdxSplit } from './idx.ts';
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
      /** Reads a whole split from the declared files in a folder and verifies it. */
      readonly read: (name: DatasetName, folder: string, split: SplitName) => Promise<Split>;
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
};

/**
 * The first `spec.train` training and `spec.test` test images of a data set. Throws DATASET_MISSING where the data set is not on this
 * machine. `train` and `test` of the answer throw DATASET_MISSING where the folder has an extract that is too small, and DATASET_CORRUPT
 * where a file differs from its declaration.
 */
export const loadDataset = async (spec: DatasetSpec, folders: DataFolders = {}): Promise<LoadedDataset> => {
  const { name } = spec;
  if (!isBuiltIn(name))
    throw new AppError(
      'DATASET_MISSING',
      `Expected the data set ${name} on this machine, but it is not built in`,
    );
  const source = sources[name];
  if ('generate' in source)
    return {
      spec,
      train: once(async () => source.generate('train', spec.train)),
      test: once(async () => source.generate('test', spec.test)),
    };
  const folder = findDataset(name, folders);
  if (folder === null) throw missing(name, folders);
  const read = async (split: SplitName): Promise<Split> => {
    const found = await source.read(name, folder, split);
    requireImages(name, split, spec[split], found, folder);
    return copyFirst(found, spec[split]);
  };
  return { spec, train: once(() => read('train')), test: once(() => read('test')) };
};

/** Reads and checks every file of a data set. Answers the folder with the files, or null for a generated one. Throws like `loadDataset`. */
export const verifyDataset = async (name: DatasetName, folders: DataFolders = {}): Promise<string | null> => {
  const source = sources[name];
  if ('generate' in source) return null;
  const folder = findDataset(name, folders);
  if (folder === null) throw missing(name, folders);
  for (const split of ['train', 'test'] as const)
    requireImages(name, split, datasets[name][split], await source.read(name, folder, split), folder);
  return folder;
};

/** Throws DATASET_MISSING where a folder has the extract of a data set and the extract is too small. */
const requireImages = (
  name: DatasetName,
  split: SplitName,
  count: number,
  found: Split,
  folder: string,
): void => {
  if (found.count >= count) return;
  throw new AppError(
    'DATASET_MISSING',
    `Expected ${count} ${split} images of ${name}, but ${folder} has an extract with only the first ${found.count}`,
    { dataset: name, folder, split, expected: count, found: found.count },
  );
};

/** Copies the first images, so that the memory of the whole file can be freed. */
const copyFirst = (split: Split, count: number): Split => {
  const size = split.images.length / split.count;
  return {
    ...split,
    count,
    images: split.images.slice(0, count * size),
    labels: split.labels.slice(0, count),
  };
};

const missing = (name: DatasetName, folders: DataFolders): AppError =>
  new AppError(
    'DATASET_MISSING',
    `Expected ${datasets[name].files.map((file) => file.name).join(', ')} in a folder ${name}, but there is no folder ${name} in any of: ${dataFolders(folders).join(', ')}`,
    { dataset: name, searched: dataFolders(folders) },
  );

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
