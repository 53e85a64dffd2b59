import { expect, it } from 'vitest';
import { smooth } from '../../src/statistics/smooth.ts';

it('averages with an exponential weight, without a bias at the start', () => {
  expect(smooth([4, 0, 0], 0)).toEqual([4, 0, 0]);
  // With weight 1/2: 4; (2/4 · 4 + 1/2 · 0) / (3/4) · … = 4/3; then 4/7.
  const [first, second, third] = smooth([4, 0, 0], 0.5) as number[];
  expect(first).toBe(4);
  expect(second).toBeCloseTo(4 / 3, 12);
  expect(third).toBeCloseTo(4 / 7, 12);
});

it('keeps a missing value missing, and does not count it', () => {
  expect(smooth([3, null, 3], 0.9)).toEqual([3, null, 3]);
});
