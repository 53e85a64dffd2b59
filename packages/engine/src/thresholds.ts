/** Where a detector draws its line, from what it says of clean images that nothing was trained on. */
import { between, type Split } from './datasets/split.ts';

/** One in twelve is held out: 5,000 of MNIST's 60,000, as MagNet does. The first ones, and at least one. */
const share = 12;

/** The training images that thresholds are set on, and those that are left to train on. */
export const holdOut = (train: Split): { readonly held: Split; readonly rest: Split } => {
  const count = Math.ceil(train.count / share);
  return { held: between(train, 0, count), rest: between(train, count) };
};

/**
 * The value at or above which a clean image is rejected: the k-th greatest of `marks`, k = ⌊n · rate⌋ (MagNet, `get_thrs`). Where k is 0
 * none of them is to be rejected, and it lies just above the greatest.
 */
export const thresholdOf = (marks: Float32Array, rate: number): number => {
  const sorted = Float32Array.from(marks).sort();
  const rejected = Math.floor(sorted.length * rate);
  const greatest = sorted.at(-1)!;
  return rejected === 0 ? greatest + 2 ** -20 * (1 + Math.abs(greatest)) : sorted.at(-rejected)!;
};

/** Chance that a value of `positives` is above one of `negatives`, ties counting half: the area under the ROC curve (Mann & Whitney). */
export const areaUnderCurve = (negatives: Float32Array, positives: Float32Array): number => {
  const sorted = Float32Array.from(negatives).sort();
  /** How many of them are below `value`; with `orEqual`, not above it. */
  const below = (value: number, orEqual: boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = positives.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0);
  return wins / (negatives.length * positives.length);
};
