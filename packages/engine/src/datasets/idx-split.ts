import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetName, datasets } from '@funnel/contracts';
import { checkSplit, parseIdx, unpackFile } from './idx.ts';
import type { Split, SplitName } from './split.ts';

/** A whole split from its two of MNIST's four files, verified. Throws DATASET_CORRUPT. */
export const readIdxSplit = async (name: DatasetName, folder: string, split: SplitName): Promise<Split> => {
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
