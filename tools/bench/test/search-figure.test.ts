/** The best values over time that `bench real-search` prints and draws. */
import { expect, test } from 'vitest';
import { bestAt, type Curve, drawSearches, summarise } from '../src/search-figure.ts';

const trial = (seconds: number, value: number | null) => ({ seconds, epochs: 9, value });
const curves: readonly Curve[] = [
  { arm: 'hyperband', trials: [trial(1, 0.1), trial(4, 0.5), trial(8, 0.25)] },
  { arm: 'hyperband', trials: [trial(2, null), trial(3, 0.25), trial(12, 0.75)] },
  { arm: 'hyperband', trials: [trial(2, 0.25), trial(10, 0.375)] },
  { arm: 'random', trials: [trial(5, 0.125), trial(9, 0.25)] },
];

test('the best value so far counts only trials that have ended and have a value', () => {
  const { trials } = curves[1]!;
  expect([1, 2, 3, 11, 12].map((seconds) => bestAt(trials, seconds))).toEqual([null, null, 0.25, 0.25, 0.75]);
});

test('a summary is the median and the range of the seeds, until the shortest run ends', () => {
  // All runs have 8 seconds. After 2 seconds one seed of hyperband has no value, after 4 seconds random search has none.
  expect(summarise(curves)).toEqual([
    { arm: 'hyperband', seconds: 4, median: 0.25, least: 0.25, greatest: 0.5 },
    { arm: 'hyperband', seconds: 8, median: 0.25, least: 0.25, greatest: 0.5 },
    { arm: 'random', seconds: 8, median: 0.125, least: 0.125, greatest: 0.125 },
  ]);
});

test('the figure draws each arm as steps from its first summary to the end', () => {
  const figure = drawSearches(curves);
  const paths = [...figure.matchAll(/<path d="(M[^"]*)" fill="none" stroke="([^"]+)"/g)];
  expect(paths.map(([, , colour]) => colour)).toEqual([
    ...Array(3).fill('var(--blue)'),
    ...Array(3).fill('var(--orange)'),
  ]);
  // 8 seconds are 632 pixels wide, from 64: hyperband starts at 3 seconds, random search at 5.
  const startOf = (path: string) => Number(/^M([\d.]+)/.exec(path)![1]);
  expect(paths.map(([, path]) => startOf(path!))).toEqual([...Array(3).fill(301), ...Array(3).fill(459)]);
  for (const [, path] of paths) expect(path).toMatch(/H696\.0V[\d.]+$/);
});
