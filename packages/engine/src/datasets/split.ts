/** The images of a data set in memory. Nothing here needs TensorFlow.js, so that commands that only look for files start quickly. */
import type { DatasetSpec } from '@funnel/contracts';

export type Split = {
  readonly count: number;
  /** The shape of one image, [height, width, channels]. */
  readonly shape: readonly [number, number, number];
  /** [count, …shape], bytes: 255 stands for 1. */
  readonly images: Uint8Array;
  /** [count]. */
  readonly labels: Uint8Array;
};

export type SplitName = 'train' | 'test';

/** The images that a specification names. Each split is read when it is first asked for: an attack needs no training images. */
export type LoadedDataset = {
  readonly spec: DatasetSpec;
  readonly train: () => Promise<Split>;
  readonly test: () => Promise<Split>;
};

const toUnit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** The images at `indices`, [n, …shape] in [0, 1]. */
export const gatherImages = ({ images, shape }: Split, indices: ArrayLike<number>): Float32Array => {
  const size = shape[0] * shape[1] * shape[2];
  const batch = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * size;
    for (let p = 0; p < size; p++) batch[i * size + p] = toUnit[images[from + p]!]!;
  }
  return batch;
};

/** The images from index `from` up to index `to` (exclusive). Shares the bytes. */
export const sliceSplit = (split: Split, from: number, to = split.count): Split => {
  const size = split.shape[0] * split.shape[1] * split.shape[2];
  return {
    ...split,
    count: to - from,
    images: split.images.subarray(from * size, to * size),
    labels: split.labels.subarray(from, to),
  };
};

/** The mean of all pixels, in [0, 1]. */
export const meanPixel = ({ images }: Split): number => {
  let sum = 0; // exact: a sum of bytes
  for (const byte of images) sum += byte;
  return sum / (255 * images.length);
};
