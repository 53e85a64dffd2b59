/** A data set's images on the host. */
import type { DatasetSpec } from '@funnel/contracts';

export type Split = {
  readonly count: number;
  /** One image, [height, width, channels]. */
  readonly shape: readonly [number, number, number];
  /** [count, …shape], bytes; 255 is 1. */
  readonly images: Uint8Array;
  /** [count]. */
  readonly labels: Uint8Array;
};

export type SplitName = 'train' | 'test';

/** The images that a specification names. Each part is read when it is first asked for: an attack needs no training images. */
export type LoadedDataset = {
  readonly spec: DatasetSpec;
  readonly train: () => Promise<Split>;
  readonly test: () => Promise<Split>;
};

const toUnit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** The images at `rows` as [rows.length, …shape] in [0, 1]. */
export const gatherImages = ({ images, shape }: Split, rows: ArrayLike<number>): Float32Array => {
  const size = shape[0] * shape[1] * shape[2];
  const batch = new Float32Array(rows.length * size);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * size;
    for (let p = 0; p < size; p++) batch[i * size + p] = toUnit[images[from + p]!]!;
  }
  return batch;
};

/** The images from `from` on, up to `to` (exclusive); shares the bytes. */
export const between = (split: Split, from: number, to = split.count): Split => {
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
