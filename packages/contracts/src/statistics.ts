/** How sure a count or a median is, and whether two classifiers differ on the same images. */
import { normal975 } from './student-t.ts';

export type Interval = readonly [low: number, high: number];

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The sample variance of at least two values, divided by their number. */
export const varianceOfMean = (values: readonly number[]): number => {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return squares / (values.length - 1) / values.length;
};

/** The mean of values, and its standard error s/√n. The error is 0 for one value, which says nothing about others. */
export const meanAndError = (
  values: readonly number[],
): { readonly mean: number; readonly error: number } => ({
  mean: meanOf(values),
  error: values.length < 2 ? 0 : Math.sqrt(varianceOfMean(values)),
});

/**
 * An interval that counts images only, widened to the 95 % interval of the mean over the seeds where that reaches further. The normal quantile
 * stands for Student's: with the 12.7 of two seeds, every interval of two seeds would say nothing.
 */
export const widenBySeeds = ([low, high]: Interval, seeds: readonly number[]): [number, number] => {
  const { mean, error } = meanAndError(seeds);
  return [Math.min(low, mean - normal975 * error), Math.max(high, mean + normal975 * error)];
};

/** The interval, wide enough for the value. A mean of intervals, or a median between two images, may leave it outside. */
export const reachingTo = ([low, high]: Interval, value: number): [number, number] => [
  Math.min(low, value),
  Math.max(high, value),
];

/** Whether the means over seeds differ by more than chance explains: the two-sided z-test at 5 %. True if neither has two seeds. */
export const seedsDiffer = (first: readonly number[], second: readonly number[]): boolean => {
  const [one, other] = [meanAndError(first), meanAndError(second)];
  return Math.abs(one.mean - other.mean) >= normal975 * Math.hypot(one.error, other.error);
};

/**
 * The 95 % Wilson score interval of a proportion (Wilson 1927, eq. 4). Unlike p ± 1.96 standard errors it is right near 0 and 1, where many
 * robust accuracies lie. [0, 1] for no trials.
 */
export const wilsonInterval = (successes: number, trials: number): [number, number] => {
  if (trials === 0) return [0, 1];
  const z = normal975;
  const p = successes / trials;
  const centre = (p + (z * z) / (2 * trials)) / (1 + (z * z) / trials);
  const half =
    (z / (1 + (z * z) / trials)) * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === trials ? 1 : Math.min(1, centre + half),
  ];
};

/** ln k! for k = 0, 1, …; longer after each larger question. */
const logFactorials = [0];

const logFactorial = (k: number): number => {
  for (let next = logFactorials.length; next <= k; next++)
    logFactorials.push(logFactorials[next - 1]! + Math.log(next));
  return logFactorials[k]!;
};

/** P(X ≤ k) for X ~ Bin(n, ½). The terms come in falling order, so the sum can stop early. */
const fairCoinBelow = (k: number, n: number): number => {
  if (k < 0) return 0;
  if (k >= n) return 1;
  if (2 * k >= n) return 1 - fairCoinBelow(n - k - 1, n);
  let term = Math.exp(logFactorial(n) - logFactorial(k) - logFactorial(n - k) - n * Math.LN2);
  let sum = term;
  for (let i = k; i > 0 && term > sum * 1e-17; i--) {
    term *= i / (n - i + 1);
    sum += term;
  }
  return sum;
};

/**
 * McNemar's exact test (1947): the two-sided p-value of the images on which two classifiers differ. `onlyFirst`, `onlySecond`: how many images
 * only this one gets right. If both were equally good, each such image would be a toss of a fair coin.
 */
export const mcNemar = (onlyFirst: number, onlySecond: number): number =>
  Math.min(1, 2 * fairCoinBelow(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond));

/**
 * The ranks, from 1, of the ordered values that are the ends of the 95 % interval of a median of `n` values (David & Nagaraja 2003, 7.1). It
 * holds for any distribution. Null for fewer than six values, which have no such interval.
 */
export const medianRanks = (n: number): readonly [number, number] | null => {
  let rank = 0;
  const isWithin = (below: number): boolean => fairCoinBelow(below - 1, n) <= 0.025;
  // Starts near the normal approximation, because n may be large.
  rank = Math.max(1, Math.floor(n / 2 - normal975 * Math.sqrt(n) * 0.5) - 2);
  while (rank > 0 && !isWithin(rank)) rank--;
  while (isWithin(rank + 1) && 2 * (rank + 1) <= n) rank++;
  return rank < 1 ? null : [rank, n + 1 - rank];
};

export const overlap = ([low, high]: Interval, [otherLow, otherHigh]: Interval): boolean =>
  low <= otherHigh && otherLow <= high;
