import { describe, expect, it } from 'vitest';
import { drawnAt, infinityPlace } from '../../src/charts/marks.tsx';
import {
  type Hyperparameter,
  hyperparameterImportance,
  mayBeChance,
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

  /** Robust accuracy in percent of three recipes at three learning rates, two seeds each. */
  const dominated = () => {
    const robust = {
      'adversarial-training': [66, 88, 81],
      trades: [50, 79, 84],
      classic: [1, 9, 14],
    };
    const rows = Object.entries(robust).flatMap(([recipe, values]) =>
      values.flatMap((value, i) =>
        [-1.5, 1.5].map((seed) => ({ recipe, rate: 10 ** (i - 4), y: value + seed })),
      ),
    );
    return {
      recipe: { name: 'recipe', values: rows.map(({ recipe }) => recipe) },
      rate: { name: 'rate', values: rows.map(({ rate }) => rate) },
      objective: rows.map(({ y }) => y),
    };
  };

  it('finds a weak hyperparameter beside one that dominates', () => {
    const { recipe, rate, objective } = dominated();
    const [first, second] = hyperparameterImportance([rate, recipe], objective);
    // η²: the recipe 0.8967, the rate 0.0815, their interaction 0.0198, the seeds 0.0020. The recipe is taken out first, and shuffles of the
    // other 0.1033, of which two of 15 degrees of freedom explain 0.0138 on average: (0.0815 − 0.0138) / (1 − 0.0138) = 0.0686.
    expect(first).toMatchObject({ name: 'recipe', given: ['rate'] });
    expect(first!.importance).toBeCloseTo(0.884, 2);
    expect(second).toMatchObject({ name: 'rate', given: ['recipe'] });
    expect(second!.importance).toBeCloseTo(0.0686, 2);
    expect(mayBeChance(second!)).toBe(false);
    // On its own, with the recipe as noise, the rate is not told from chance.
    const [alone] = hyperparameterImportance([rate], objective);
    expect(alone!.given).toEqual([]);
    expect(mayBeChance(alone!)).toBe(true);
  });

  it('finds the recipe beside a hyperparameter that only one recipe reads', () => {
    // Four trials of classic, and four of funn at each γ.
    const gammas = [undefined, 1, 5, 25].flatMap((gamma) => [gamma, gamma, gamma, gamma]);
    const hyperparameters: Hyperparameter[] = [
      { name: 'γ', values: gammas },
      { name: 'recipe', values: gammas.map((gamma) => (gamma === undefined ? 'classic' : 'funn')) },
    ];
    const means = new Map([
      [undefined, 0.9],
      [1, 0.5],
      [5, 0.3],
      [25, 0.1],
    ]);
    const rows = hyperparameterImportance(
      hyperparameters,
      gammas.map((gamma, i) => means.get(gamma)! + 0.02 * normalOf(`nested/${i}`)),
    );
    const [recipe, gamma] = ['recipe', 'γ'].map((name) => rows.find((row) => row.name === name)!);
    // Between the recipes, 4 · 0.45² + 12 · 0.15² of 4 · (0.45² + 0.05² + 0.15² + 0.35²): 0.77. Of what γ leaves over, that is all.
    expect(recipe).toMatchObject({ given: ['γ'], levels: 2 });
    expect(recipe!.importance).toBeCloseTo(0.77, 1);
    expect(gamma!.importance).toBeGreaterThan(0.95);
    expect(rows.filter(mayBeChance)).toEqual([]);
  });

  it('does not credit a hyperparameter with the effect of another one', () => {
    // b follows a in 18 of 20 trials, and moves nothing by itself.
    const a = Array.from({ length: 20 }, (_, i) => i % 2);
    const b = a.map((value, i) => (i < 2 ? 1 - value : value));
    const objective = a.map((value, i) => value + 0.05 * normalOf(`copy/${i}`));
    const hyperparameters = [
      { name: 'b', values: b },
      { name: 'a', values: a },
    ];
    expect(mayBeChance(hyperparameterImportance([hyperparameters[0]!], objective)[0]!)).toBe(false);
    const [first, second] = hyperparameterImportance(hyperparameters, objective);
    expect(first).toMatchObject({ name: 'a' });
    expect(mayBeChance(first!)).toBe(false);
    expect(second).toMatchObject({ name: 'b', given: ['a'] });
    expect(mayBeChance(second!)).toBe(true);
  });

  it('gives hyperparameters that always change together the same share', () => {
    const a = Array.from({ length: 12 }, (_, i) => i % 3);
    const objective = a.map((value, i) => value + 0.05 * normalOf(`both/${i}`));
    const [first, second] = hyperparameterImportance(
      [
        { name: 'a', values: a },
        { name: 'b', values: a.map((value) => ['x', 'y', 'z'][value]!) },
      ],
      objective,
    );
    expect(second!.importance).toBe(first!.importance);
    expect(first!.importance).toBeGreaterThan(0.9);
  });

  it('is computed over the trials that have a value', () => {
    const { recipe, rate, objective } = dominated();
    const [row] = hyperparameterImportance(
      [
        recipe,
        {
          ...rate,
          name: 'β',
          values: rate.values.map((v, i) => (recipe.values[i] === 'trades' ? v : undefined)),
        },
      ],
      objective,
    ).filter(({ name }) => name === 'β');
    const trades = rate.values.map((_, i) => i).filter((i) => recipe.values[i] === 'trades');
    const [alone] = hyperparameterImportance(
      [{ name: 'β', values: trades.map((i) => rate.values[i]!) }],
      trades.map((i) => objective[i]!),
    );
    expect(row).toEqual(alone);
    expect(row!.levels).toBe(3);
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

  it('cuts a few different numbers into few bins, so that an effect can pass its mark', () => {
    // Twelve training ε from 0.02 to 0.19 and the robust accuracies of a search with TPE: three bins of four.
    const values = [
      0.0209, 0.0435, 0.0472, 0.103, 0.1157, 0.1204, 0.1275, 0.1322, 0.1583, 0.1719, 0.1855, 0.1938,
    ];
    const [row] = hyperparameterImportance(
      [{ name: 'ε', values }],
      [21, 26, 21, 34, 22, 36, 28, 30, 22, 47, 42, 49],
    );
    // η² = Σ 4 (25.5 − 31.5)² + 4 (29 − 31.5)² + 4 (40 − 31.5)², over Σ (y − 31.5)² = 458 / 1089.
    expect(row).toMatchObject({ levels: 3, tooFew: false });
    expect(row!.importance).toBeCloseTo((458 / 1089 - 2 / 11) / (1 - 2 / 11), 1);
  });

  it('keeps the values of a grid, and equal values in one bin', () => {
    const levelsOf = (values: readonly number[]) =>
      hyperparameterImportance(
        [{ name: 'a', values }],
        values.map((value, i) => value + i / 10),
      )[0]!.levels;
    expect(levelsOf([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])).toBe(5);
    expect(levelsOf([1, 2, 3, 4, 5])).toBe(2);
    expect(levelsOf([1, 2, 1, 2])).toBe(2);
    // Without this, the first of the equal values would be in another bin than the rest.
    const y = [1, 1, 1, 1, 1, 1, 1, 1, 1, 5, 6, 7];
    const x = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
    expect(hyperparameterImportance([{ name: 'a', values: x }], y)[0]!.importance).toBeGreaterThan(0.9);
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
