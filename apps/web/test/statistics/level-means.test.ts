import { expect, it } from 'vitest';
import { levelMeans } from '../../src/statistics/level-means.ts';

it('are the means of the trials at each value, with Student’s interval', () => {
  const [low, high] = levelMeans([5, 1, 1, 5, 1], [100, 11, 12, 110, 13], Number.POSITIVE_INFINITY);
  // Mean 12, deviation 1, three trials: t = 0.95 √(2 / (1 − 0.95²)) = 4.3027.
  const half = (0.95 * Math.sqrt(2 / (1 - 0.95 ** 2))) / Math.sqrt(3);
  const interval = [expect.closeTo(12 - half, 5), expect.closeTo(12 + half, 5)];
  expect(low).toEqual({ value: 1, n: 3, mean: 12, interval });
  expect(high).toMatchObject({ value: 5, n: 2, mean: 105 });
  expect(high!.interval![1] - 105).toBeCloseTo((Math.tan(0.475 * Math.PI) * Math.sqrt(50)) / Math.sqrt(2), 4);
});

it('never reach beyond the values of the metric', () => {
  const [level] = levelMeans([1, 1], [0.1, 0.9], 1);
  expect(level).toEqual({ value: 1, n: 2, mean: 0.5, interval: [0, 1] });
});

it('have no interval for one trial', () => {
  expect(levelMeans(['mse'], [1], 1)).toEqual([{ value: 'mse', n: 1, mean: 1, interval: null }]);
});

it('a level has the median of its trials, and no interval', () => {
  expect(
    levelMeans(
      [1, 1, 1, 2, 2],
      [3, Number.POSITIVE_INFINITY, 5, Number.POSITIVE_INFINITY, 4],
      Number.POSITIVE_INFINITY,
    ),
  ).toEqual([
    { value: 1, n: 3, infinite: 1, mean: 5, interval: null },
    { value: 2, n: 2, infinite: 1, mean: Number.POSITIVE_INFINITY, interval: null },
  ]);
});
