import { describe, expect, it } from 'vitest';
import { drawnAt, infinityPlace } from '../../src/charts/marks.tsx';
import {
  type Hyperparameter,
  hyperparameterImportance,
  levelMeans,
} from '../../src/statistics/hyperparameter-importance.ts';
import { normalOf } from '../fake-api/digits.ts';

/** A full grid of two hyperparameters, repeated; y is computed from them. */
const grid = (
  as: readonly number[],
  bs: readonly number[],
  repeats: number,
  y: (a: number, b: number, i: number) => number,
) => {
  const rows = Array.from({ length: repeats }).flatMap(() => as.flatMap((a) => bs.map((b) => ({ a, b }))));
  return {
    hyperparameters: [
      { name: 'a', values: rows.map(({ a }) => a) },
      { name: 'b', values: rows.map(({ b }) => b) },
    ] satisfies Hyperparameter[],
    objective: rows.map(({ a, b }, i) => y(a, b, i)),
  };
};

describe('hyperparameter importance', () => {
  it('is the share of variance of each term of a sum', () => {
    // Var(3a) : Var(b) = 9 : 1 over the same levels, so a explains 0.9.
    const { hyperparameters, objective } = grid([0, 1, 2, 3], [0, 1, 2, 3], 20, (a, b) => 3 * a + b);
    const [a, b] = hyperparameterImportance(hyperparameters, objective);
    expect(a).toMatchObject({ name: 'a', levels: 4 });
    // The part that chance explains is subtracted; with 320 trials it is about 3 / 319.
    expect(a!.importance).toBeCloseTo(0.9, 2);
    expect(b!.importance).toBeCloseTo(0.1, 1);
  });

  it('is below the level of chance for a hyperparameter without effect', () => {
    const { hyperparameters, objective } = grid(
      [0, 1, 2],
      [0, 1],
      30,
      (a, _, i) => a + 0.3 * normalOf(`noise/${i}`),
    );
    const idle = hyperparameterImportance(hyperparameters, objective).find(({ name }) => name === 'b')!;
    expect(idle.importance).toBeLessThanOrEqual(idle.chance);
  });

  it('says when the trials are too few for any share to beat chance', () => {
    // Of the 24 orders of four results, 8 keep the two best together: a third of the shuffles explains as much.
    const rate = (values: readonly number[], objective: readonly number[]) =>
      hyperparameterImportance([{ name: 'rate', values }], objective)[0]!;
    const four = rate([0, 0, 1, 1], [0.01, 0.02, 0.53, 0.55]);
    expect(four.tooFew).toBe(true);
    expect(four.importance).toBeCloseTo(four.chance, 6);
    const mixed = rate([0, 0, 1, 1], [0.01, 0.53, 0.02, 0.55]);
    expect(mixed.tooFew).toBe(false);
    const twelve = rate(
      [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
      [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.5, 0.51, 0.52, 0.53, 0.54, 0.55],
    );
    expect(twelve.tooFew).toBe(false);
    expect(twelve.importance).toBeGreaterThan(twelve.chance);
  });

  it('is near zero for a pure interaction', () => {
    const { hyperparameters, objective } = grid([-1, 1], [-1, 1], 50, (a, b) => a * b);
    for (const { importance } of hyperparameterImportance(hyperparameters, objective))
      expect(importance).toBeLessThan(0.02);
  });

  it('cuts a continuous hyperparameter into bins', () => {
    const values = Array.from({ length: 400 }, (_, i) => i / 400);
    const [row] = hyperparameterImportance([{ name: 'rate', values }], values);
    expect(row).toMatchObject({ levels: 8 });
    // Eight equal bins of a uniform variable explain 1 − 1/64 of its variance.
    expect(row!.importance).toBeCloseTo(1 - 1 / 64, 3);
  });

  it('is empty for hyperparameters that do not vary, for constant objectives, and for three trials', () => {
    expect(hyperparameterImportance([{ name: 'a', values: [1, 1, 1, 1] }], [1, 2, 3, 4])).toEqual([]);
    expect(hyperparameterImportance([{ name: 'a', values: [1, 2, 1, 2] }], [3, 3, 3, 3])).toEqual([]);
    expect(hyperparameterImportance([{ name: 'a', values: [1, 2, 3] }], [1, 2, 3])).toEqual([]);
  });

  it('is the same for the same trials', () => {
    const { hyperparameters, objective } = grid([0, 1, 2], [0, 1], 5, (a, b, i) => a + b + normalOf(`${i}`));
    expect(hyperparameterImportance(hyperparameters, objective)).toEqual(
      hyperparameterImportance(hyperparameters, objective),
    );
  });
});

describe('with infinite values', () => {
  const infinity = Number.POSITIVE_INFINITY;

  it('importance is that of the ranks, as in Kruskal and Wallis', () => {
    // Ranks 1 to 8 with the infinite two sharing 7.5, by level: 1 2 3 4 and 5 6 7.5 7.5.
    const values = [0, 0, 0, 0, 1, 1, 1, 1];
    const ranks = [1, 2, 3, 4, 5, 6, 7.5, 7.5];
    const [infinite] = hyperparameterImportance(
      [{ name: 'a', values }],
      [1, 2, 3, 4, 5, 6, infinity, infinity],
    );
    expect(infinite!.importance).toBeGreaterThan(0.5);
    expect(infinite).toEqual(hyperparameterImportance([{ name: 'a', values }], ranks)[0]);
  });

  it('importance is empty if all values are infinite', () => {
    expect(hyperparameterImportance([{ name: 'a', values: [1, 2, 1, 2] }], Array(4).fill(infinity))).toEqual(
      [],
    );
  });

  it('a level has the median of its trials, and no interval', () => {
    expect(levelMeans([1, 1, 1, 2, 2], [3, infinity, 5, infinity, 4], infinity)).toEqual([
      { value: 1, n: 3, infinite: 1, mean: 5, interval: null },
      { value: 2, n: 2, infinite: 1, mean: infinity, interval: null },
    ]);
  });

  it('infinity is drawn beyond the largest finite value', () => {
    const place = infinityPlace([2, infinity, 8])!;
    expect(place).toEqual({ low: 2, high: 8, infinity: 9 });
    expect([2, 8, infinity].map((value) => drawnAt(value, place))).toEqual([2, 8, 9]);
    expect(infinityPlace([2, 8])).toEqual({ low: 2, high: 8, infinity: null });
    expect(infinityPlace([5, infinity])!.infinity).toBeGreaterThan(5);
    expect(infinityPlace([infinity])!.infinity).toBeGreaterThan(infinityPlace([infinity])!.high);
    expect(infinityPlace([])).toBeNull();
  });
});

describe('means by level', () => {
  it('are the means of the trials at each value, with Student’s interval', () => {
    const [low, high] = levelMeans([5, 1, 1, 5, 1], [100, 11, 12, 110, 13], Number.POSITIVE_INFINITY);
    // Mean 12, deviation 1, three trials: t = 4.303.
    const half = 4.303 / Math.sqrt(3);
    const interval = [expect.closeTo(12 - half, 12), expect.closeTo(12 + half, 12)];
    expect(low).toEqual({ value: 1, n: 3, mean: 12, interval });
    expect(high).toMatchObject({ value: 5, n: 2, mean: 105 });
    expect(high!.interval![1] - 105).toBeCloseTo((12.706 * Math.sqrt(50)) / Math.sqrt(2), 9);
  });

  it('never reach beyond the values of the metric', () => {
    const [level] = levelMeans([1, 1], [0.1, 0.9], 1);
    expect(level).toEqual({ value: 1, n: 2, mean: 0.5, interval: [0, 1] });
  });

  it('have no interval for one trial', () => {
    expect(levelMeans(['mse'], [1], 1)).toEqual([{ value: 'mse', n: 1, mean: 1, interval: null }]);
  });
});
