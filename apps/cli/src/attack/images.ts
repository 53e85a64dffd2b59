/** The images that `funnel attack` and `funnel examine` take from a data set. */
import { type DatasetName, datasets } from '@funnel/contracts';
import type { DataFolders } from '@funnel/engine';
import { Exit, exitCodes } from '../exit.ts';

export type Images = {
  /** `[n, ...shape]` in the model's bounds, row by row. */
  readonly images: Float32Array;
  readonly labels: readonly number[];
};

/** Values in [0, 1] on the scale of the model's pixels. */
const toBounds = (values: Float32Array, [low, high]: readonly [number, number]): Float32Array =>
  low === 0 && high === 1 ? values : values.map((value) => low + value * (high - low));

/** Throws Exit for an index that the data set does not have. */
export const checkIndices = (
  name: DatasetName,
  split: 'train' | 'test',
  indices: readonly number[],
): void => {
  const size = datasets[name][split];
  const beyond = indices.find((index) => index >= size);
  if (beyond !== undefined)
    throw new Exit(
      exitCodes.usage,
      `Expected indices below ${size}, the ${split} images of ${name}, but got ${beyond}`,
    );
};

/** Reads images of a split by their indices. */
export const readImages = async (
  name: DatasetName,
  split: 'train' | 'test',
  indices: readonly number[],
  bounds: readonly [number, number],
  folders: DataFolders,
): Promise<Images> => {
  const { gatherImages, loadDataset } = await import('@funnel/engine');
  const count = indices.reduce((most, index) => Math.max(most, index), 0) + 1;
  const dataset = await loadDataset(
    { name, train: split === 'train' ? count : 1, test: split === 'test' ? count : 1, attack: 1 },
    folders,
  );
  const images = await dataset[split]();
  return {
    images: toBounds(gatherImages(images, indices), bounds),
    labels: indices.map((index) => images.labels[index]!),
  };
};
