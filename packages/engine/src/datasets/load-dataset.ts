import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type DatasetName, type DatasetSpec, datasets } from '@funnel/contracts';
import { glyphs } from './glyphs/glyphs.ts';
import { checkSplit, parseIdx, unpackFile } from './idx.ts';
import { type DataPlaces, dataFolders, findDataset } from './places.ts';
import type { LoadedDataset, Split, SplitName } from './split.ts';

/** A whole split from its two files, verified. */
const readSplit = async (name: DatasetName, folder: string, split: SplitName): Promise<Split> => {
  const { files, shape, classes, ...sizes } = datasets[name];
  const [images, labels] = split === 'train' ? files.slice(0, 2) : files.slice(2, 4);
  const read = async (file: (typeof files)[number], rank: number) => {
    const path = join(folder, file.name);
    return parseIdx(path, await unpackFile(path, await readFile(path), file), rank);
  };
  const pixels = await read(images!, 3);
  const classesOf = await read(labels!, 1);
  const count = sizes[split];
  checkSplit({ images: images!.name, labels: labels!.name }, pixels, classesOf, {
    count,
    shape,
    classes: classes.length,
  });
  return { count, shape, images: pixels.values, labels: classesOf.values };
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
  if (spec.name === 'glyphs')
    return {
      spec,
      train: once(async () => glyphs('train', spec.train)),
      test: once(async () => glyphs('test', spec.test)),
    };
  const folder = findDataset(spec.name, places);
  if (folder === null) throw missing(spec.name, places);
  return {
    spec,
    train: once(async () => first(await readSplit(spec.name, folder, 'train'), spec.train)),
    test: once(async () => first(await readSplit(spec.name, folder, 'test'), spec.test)),
  };
};

/** Reads and checks every file of a data set; answers the folder it lies in. Throws as `loadDataset` does. */
export const verifyDataset = async (name: DatasetName, places: DataPlaces = {}): Promise<string | null> => {
  if (datasets[name].files.length === 0) return null;
  const folder = findDataset(name, places);
  if (folder === null) throw missing(name, places);
  for (const split of ['train', 'test'] as const) await readSplit(name, folder, split);
  return folder;
};
