/** The images of a data set. Nothing here needs TensorFlow.js, so that commands that only look for files start quickly. */
import type { DatasetSpec } from '@funnel/contracts';

type Shape = readonly [number, number, number];

export type Split = {
  readonly count: number;
  /** The shape of one image, [height, width, channels]. */
  readonly shape: Shape;
  /** [count], indices of the classes. */
  readonly labels: Uint16Array;
  /** The images at `indices`, [n, …shape], bytes: 255 stands for 1. The caller does not change them: they may be the split's own. */
  readonly read: (indices: ArrayLike<number>) => Uint8Array;
  /**
   * Begins to read the images at `indices`, so that `read` with the same indices does not wait for the disk. Never rejects: `read` throws
   * what is wrong. Two such batches are kept.
   */
  readonly prefetch: (indices: ArrayLike<number>) => Promise<void>;
  /** Closes the file from which the images come. */
  readonly close: () => void;
};

export type SplitName = 'train' | 'test';

/** The images that a specification names. Each split is read when it is first asked for: an attack needs no training images. */
export type LoadedDataset = {
  readonly spec: DatasetSpec;
  readonly train: () => Promise<Split>;
  readonly test: () => Promise<Split>;
};

/** Bytes of one image. */
export const imageBytes = ([height, width, channels]: Shape): number => height * width * channels;

/** Splits of more bytes stay in their file. */
export const maxMemoryBytes = 256 * 2 ** 20;

/** Bytes in memory of a split of `count` images: none if it stays in its file. */
export const heldBytes = (shape: Shape, count: number, maxBytes = maxMemoryBytes): number => {
  const bytes = count * imageBytes(shape);
  return bytes > maxBytes ? 0 : bytes;
};

/** A stretch of consecutive images in a list of indices. */
export type Run = { readonly at: number; readonly index: number; readonly count: number };

/** The stretches of consecutive images in `indices`. `at`: where a stretch begins in the list; `index`: its first image. */
export const runsOf = (indices: ArrayLike<number>): readonly Run[] => {
  const runs: Run[] = [];
  for (let at = 0; at < indices.length; ) {
    let count = 1;
    while (at + count < indices.length && indices[at + count] === indices[at]! + count) count++;
    runs.push({ at, index: indices[at]!, count });
    at += count;
  }
  return runs;
};

/** A split in memory. `images`: [count, …shape]. */
export const memorySplit = (shape: Shape, images: Uint8Array, labels: ArrayLike<number>): Split => {
  const size = imageBytes(shape);
  const read = (indices: ArrayLike<number>): Uint8Array => {
    const runs = runsOf(indices);
    const [first] = runs;
    if (first && runs.length === 1)
      return images.subarray(first.index * size, (first.index + first.count) * size);
    const batch = new Uint8Array(indices.length * size);
    for (const { at, index, count } of runs)
      batch.set(images.subarray(index * size, (index + count) * size), at * size);
    return batch;
  };
  return {
    count: labels.length,
    shape,
    labels: Uint16Array.from(labels),
    read,
    prefetch: async () => {},
    close: () => {},
  };
};

const toUnit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** The images at `indices`, [n, …shape] in [0, 1]. */
export const gatherImages = (split: Split, indices: ArrayLike<number>): Float32Array => {
  const bytes = split.read(indices);
  const batch = new Float32Array(bytes.length);
  for (let p = 0; p < bytes.length; p++) batch[p] = toUnit[bytes[p]!]!;
  return batch;
};

/** The images from index `from` up to index `to` (exclusive). Shares the bytes. */
export const sliceSplit = (split: Split, from: number, to = split.count): Split => {
  const moved = (indices: ArrayLike<number>): Uint32Array =>
    Uint32Array.from(indices, (index) => from + index);
  return {
    ...split,
    count: to - from,
    labels: split.labels.subarray(from, to),
    read: (indices) => split.read(moved(indices)),
    prefetch: (indices) => split.prefetch(moved(indices)),
  };
};

/** The indices from, …, to − 1. */
export const range = (from: number, to: number): Uint32Array =>
  Uint32Array.from({ length: to - from }, (_, i) => from + i);

/** Bytes of images that a pass over a whole split reads at a time. */
const passBytes = 4 * 2 ** 20;

/** The indices of all images of a split, in order, in parts of at most `most` images and 4 MiB. */
export function* partsOf({ count, shape }: Split, most: number): Generator<Uint32Array, void, undefined> {
  const size = Math.max(1, Math.min(most, Math.floor(passBytes / imageBytes(shape))));
  for (let from = 0; from < count; from += size) yield range(from, Math.min(from + size, count));
}

/** The mean of all pixels, in [0, 1]. */
export const meanPixel = async (split: Split): Promise<number> => {
  let sum = 0; // exact: a sum of bytes
  for (const indices of partsOf(split, split.count)) {
    await split.prefetch(indices); // other work of this process goes on meanwhile
    for (const byte of split.read(indices)) sum += byte;
  }
  return sum / (255 * split.count * imageBytes(split.shape));
};
