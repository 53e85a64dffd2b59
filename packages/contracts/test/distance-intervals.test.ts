/** The intervals of distances: order statistics for medians, Student's t for the noise level. */
import { expect, test } from 'vitest';
import { distanceIntervals } from '../src/index.ts';

/** One image for each L2 distance; null: the attack found none. */
const evaluation = (l2: readonly (number | null)[], medianL2: number | 'Infinity' | null) => ({
  summary: {
    attempted: l2.length,
    ...{ medianL2, medianLinf: medianL2, noiseLevel: l2.some((each) => each !== null) ? 2 : null },
  },
  records: { success: l2.map((each) => each !== null), l2: [...l2], linf: [...l2] },
});

test('the ends of a median are ordered values, infinite where an attack failed', () => {
  // Binomial, n = 10: P(X ≤ 1) = 0.011 and P(X ≤ 2) = 0.055, so the ends are the second smallest and the second largest.
  const ten = [10, 1, 9, 2, 8, 3, 7, 4, 6, 5];
  expect(distanceIntervals(evaluation(ten, 5.5)).medianL2).toEqual([2, 9]);
  expect(distanceIntervals(evaluation(ten, 5.5)).medianLinf).toEqual([2, 9]);
  const two = [1, 2, 3, 4, 5, 6, 7, 8, null, null];
  expect(distanceIntervals(evaluation(two, 5.5)).medianL2).toEqual([2, 'Infinity']);
});

test('fewer than six images have no interval of a median, six have', () => {
  expect(distanceIntervals(evaluation([1, 2, 3, 4, 5], 3)).medianL2).toBeNull();
  expect(distanceIntervals(evaluation([1, 2, 3, 4, 5, 6], 3.5)).medianL2).toEqual([1, 6]);
  expect(distanceIntervals(evaluation([], null))).toEqual({
    ...{ medianL2: null, medianLinf: null, noiseLevel: null },
  });
});

test('the noise level has an interval of a mean over the fooled images, from two on', () => {
  // 1, 2, 3: mean 2, s = 1, t(2) = 4.3027, so 2 ± 2.4842, and no distance is negative.
  const [low, high] = distanceIntervals(evaluation([1, 2, 3, null], 2.5)).noiseLevel!;
  expect(low).toBe(0);
  expect(high).toBeCloseTo(4.484138, 5);
  expect(distanceIntervals(evaluation([2, null], 'Infinity')).noiseLevel).toBeNull();
});
