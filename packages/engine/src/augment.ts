/**
 * Augmentation: changes training images at random, anew in every epoch. It runs on the host and uses only sums and products, so every machine
 * and backend trains on the same bits.
 */
import type { Hyperparameters } from '@funnel/contracts';
import type { Random } from './random.ts';

export type Augmentation = Partial<Pick<Hyperparameters, 'augmentFlip' | 'augmentShift' | 'augmentCrop'>>;

export const isAugmenting = ({
  augmentFlip = 'none',
  augmentShift = 0,
  augmentCrop = 0,
}: Augmentation): boolean => augmentFlip !== 'none' || augmentShift > 0 || augmentCrop > 0;

/** [height, width, channels]. */
type Shape = readonly [number, number, number];

/** Writes an image, changed, over `to`: both [height · width · channels]. */
type Change = (from: Float32Array, to: Float32Array, shape: Shape, random: Random) => void;

/** Mirrors an image from left to right, with probability 1/2. */
const flip: Change = (from, to, [height, width, channels], random) => {
  if (random.uniform() < 0.5) {
    to.set(from);
    return;
  }
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++)
        to[(y * width + x) * channels + c] = from[(y * width + width - 1 - x) * channels + c]!;
};

/** Moves an image by up to `largest` pixels along each axis, with equal probability for each whole number. The gap is black. */
const shift =
  (largest: number): Change =>
  (from, to, [height, width, channels], random) => {
    const [down, right] = [random.below(2 * largest + 1) - largest, random.below(2 * largest + 1) - largest];
    to.fill(0);
    for (let y = Math.max(0, down); y < Math.min(height, height + down); y++)
      for (let x = Math.max(0, right); x < Math.min(width, width + right); x++) {
        const source = ((y - down) * width + x - right) * channels;
        for (let c = 0; c < channels; c++) to[(y * width + x) * channels + c] = from[source + c]!;
      }
  };

/** Where a pixel of a row lies in the row before it was enlarged: between two pixels, and how far from the first. */
type Place = { readonly low: number; readonly high: number; readonly weight: number };

/** The places of all pixels of a row of `size` pixels, of which the part of length `kept` that begins at `start` was enlarged. */
const placesOf = (size: number, start: number, kept: number): readonly Place[] =>
  Array.from({ length: size }, (_, i) => {
    const at = Math.min(size - 1, Math.max(0, start + ((i + 0.5) * kept) / size - 0.5));
    const low = Math.floor(at);
    return { low, high: Math.min(size - 1, low + 1), weight: at - low };
  });

/**
 * Cuts a window out of an image and enlarges it to the size of the image, with bilinear interpolation. The window keeps a share of height and
 * width that is uniform in (1 − largest, 1], and lies anywhere in the image.
 */
const crop =
  (largest: number): Change =>
  (from, to, [height, width, channels], random) => {
    const share = 1 - largest * random.uniform();
    const [rows, columns] = [height, width].map((size) => {
      const kept = size * share;
      return placesOf(size, random.uniform() * (size - kept), kept);
    }) as [readonly Place[], readonly Place[]];
    for (const [y, row] of rows.entries())
      for (const [x, column] of columns.entries())
        for (let c = 0; c < channels; c++) {
          const at = (i: number, j: number): number => from[(i * width + j) * channels + c]!;
          const across = (i: number): number =>
            at(i, column.low) * (1 - column.weight) + at(i, column.high) * column.weight;
          to[(y * width + x) * channels + c] =
            across(row.low) * (1 - row.weight) + across(row.high) * row.weight;
        }
  };

/**
 * Images as training sees them: [n, …shape] in [0, 1] → the same. `streamOf` gives the random numbers of one kind of change, so that trials
 * that differ in one of the hyperparameters draw the same numbers for the others.
 */
export const augment = (
  images: Float32Array,
  shape: Shape,
  { augmentFlip = 'none', augmentShift = 0, augmentCrop = 0 }: Augmentation,
  streamOf: (change: 'crop' | 'shift' | 'flip') => Random,
): Float32Array => {
  const size = shape[0] * shape[1] * shape[2];
  const changed = (given: Float32Array, change: Change, random: Random): Float32Array => {
    const result = new Float32Array(given.length);
    for (let from = 0; from < given.length; from += size)
      change(given.subarray(from, from + size), result.subarray(from, from + size), shape, random);
    return result;
  };
  let result = images;
  if (augmentCrop > 0) result = changed(result, crop(augmentCrop), streamOf('crop'));
  if (augmentShift > 0) result = changed(result, shift(augmentShift), streamOf('shift'));
  if (augmentFlip === 'horizontal') result = changed(result, flip, streamOf('flip'));
  return result;
};
