import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, type DatasetName, type DatasetSpec, datasets } from '@funnel/contracts';
import { glyphs } from './glyphs.ts';
import { readIdxSplit } from './idx.ts';
import type { LoadedDataset, Split, SplitName } from './split.ts';

/** Where data sets lie on this machine. */

/** `dir`: what FUNNEL_DATA names. `home`: what FUNNEL_HOME names; downloads go to its `data`. */
export type DataPlaces = { readonly dir?: string | null; readonly home?: string | null };

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Folders that may hold `mnist/` and `fashion-mnist/`, in the order in which they are searched. */
export const dataFolders = ({ dir, home }: DataPlaces): readonly string[] => [
  ...(dir ? [resolve(dir)] : []),
  ...(home ? [resolve(home, 'data')] : []),
  resolve(repository, '../shared/data'),
];

/** The first folder that holds every file of a data set, or null. Says nothing of whether they are whole. */
export const findDataset = (name: DatasetName, places: DataPlaces): string | null => {
  const names = datasets[name].files.map((file) => file.name);
  const holds = (folder: string): boolean => names.every((file) => existsSync(join(folder, file)));
  return (
    dataFolders(places)
      .map((folder) => join(folder, name))
      .find(holds) ?? null
  );
};

/** Where each data set comes from. One that `contracts/datasets.ts` declares and that is missing here does not compile. */

export type Source =
  | {
      /** The first `count` images of a split, made each time. */
      readonly generate: (split: SplitName, count: number) => Split;
    }
  | {
      /** A whole split from the declared files in a folder, verified. */
      readonly read: (name: DatasetName, folder: string, split: SplitName) => Promise<Split>;
      /** Folders on the web that hold the files. */
      readonly mirrors: readonly string[];
    };

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
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    ],
  },
  glyphs: { generate: glyphs },
};

const first = (split: Split, count: number): Split => {
  const size = split.images.length / split.count;
  // Copies, so that the rest of the file can be freed.
  return {
    ...split,
    count,
    images: split.images.slice(0, count * size),
    labels: split.labels.slice(0, count),
  };
};

const missing = (name: DatasetName, places: DataPlaces): AppError =>
  new AppError(
    'DATASET_MISSING',
    `Expected ${datasets[name].files.map((file) => file.name).join(', ')} in a folder ${name}, but found none of: ${dataFolders(places).join(', ')}`,
    { dataset: name, searched: dataFolders(places) },
  );

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/**
 * The first `spec.train` training and `spec.test` test images of a data set. Throws DATASET_MISSING at once where it is not on this
 * machine, DATASET_CORRUPT when a part is read whose file is not what was declared.
 */
export const loadDataset = async (spec: DatasetSpec, places: DataPlaces = {}): Promise<LoadedDataset> => {
  const source = sources[spec.name];
  if ('generate' in source)
    return {
      spec,
      train: once(async () => source.generate('train', spec.train)),
      test: once(async () => source.generate('test', spec.test)),
    };
  const folder = findDataset(spec.name, places);
  if (folder === null) throw missing(spec.name, places);
  return {
    spec,
    train: once(async () => first(await source.read(spec.name, folder, 'train'), spec.train)),
    test: once(async () => first(await source.read(spec.name, folder, 'test'), spec.test)),
  };
};

/** Reads and checks every file of a data set; answers the folder it lies in. Throws as `loadDataset` does. */
export const verifyDataset = async (name: DatasetName, places: DataPlaces = {}): Promise<string | null> => {
  const source = sources[name];
  if ('generate' in source) return null;
  const folder = findDataset(name, places);
  if (folder === null) throw missing(name, places);
  for (const split of ['train', 'test'] as const) await source.read(name, folder, split);
  return folder;
};
