import { AppError, type DatasetName, type DatasetSpec, datasets } from '@funnel/contracts';
import { type DataPlaces, dataFolders, findDataset } from './places.ts';
import { sources } from './sources.ts';
import type { LoadedDataset, Split } from './split.ts';

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
