/** Every hyperparameter of every recipe, with every form of a dimension. The tests compute the points in a second way and compare. */
import {
  type DimensionInput,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparametersOf,
  isNumeric,
  type NumericHyperparameter,
  type RecipeName,
  recipeNames,
  SweepDefinition,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { expandSweep, trialsOf } from '../src/expand-trials.ts';
import { buildPlan, outlineSweep } from '../src/index.ts';

const define = (recipe: RecipeName, name: HyperparameterName, dimension: DimensionInput, more: object = {}) =>
  SweepDefinition.parse({
    name: 'test',
    recipes: recipe,
    dataset: { name: 'glyphs' },
    space: { [name]: dimension },
    ...more,
  });
const valuesOf = (...of: Parameters<typeof define>): HyperparameterValue[] =>
  trialsOf(expandSweep(define(...of))).map(({ hyperparameters }) => hyperparameters[of[1]]!);
const numbersOf = (...of: Parameters<typeof define>): number[] => valuesOf(...of) as number[];
/** The plan's report on the hyperparameter. Here it has at most ten values. */
const plannedOf = (...of: Parameters<typeof define>) =>
  buildPlan(outlineSweep(define(...of), '1'), new Map()).plan.space?.[0];

const each = recipeNames.flatMap((recipe) =>
  hyperparametersOf(recipe).map((name) => [recipe, name] as const),
);
const numeric = each.flatMap(([recipe, name]) => {
  const hyperparameter = hyperparameterDeclaration(name);
  return isNumeric(hyperparameter) ? [[recipe, name, hyperparameter] as const] : [];
});
const lowest = ({ bounds }: NumericHyperparameter): number => ('above' in bounds ? bounds.above : bounds.min);

/** Ends within a hyperparameter's bounds, as decimals of `digits` places: `[3, 17]` of 2 places is 0.03 and 0.17. */
const decimals = (
  hyperparameter: NumericHyperparameter,
): { readonly ends: readonly [number, number]; readonly places: number } => {
  if (hyperparameter.kind === 'whole')
    return {
      ends: [Math.max(1, lowest(hyperparameter)), Math.min(97, hyperparameter.bounds.max)],
      places: 0,
    };
  return { ends: [3, Math.floor(Math.min(1, hyperparameter.bounds.max) * 1000)], places: 4 };
};
const decimal = (digits: number, places: number): number => Number(`${digits}e-${places}`);

const near = (values: readonly number[], axis: readonly number[]): void => {
  expect(values).toHaveLength(axis.length);
  for (const [i, value] of values.entries())
    expect(Math.abs(value - axis[i]!), `${value} for ${axis[i]}`).toBeLessThanOrEqual(1e-11 * axis[i]!);
  expect(values[0]).toBe(axis[0]);
  expect(values.at(-1)).toBe(axis.at(-1));
};

describe.each(each)('%s: %s', (recipe, name) => {
  it('accepts its default, alone and in a list, and the plan shows it', () => {
    const { default: usual } = hyperparameterDeclaration(name);
    expect(valuesOf(recipe, name, usual)).toEqual([usual]);
    expect(valuesOf(recipe, name, [usual, usual])).toEqual([usual]);
    expect(plannedOf(recipe, name, [usual, usual])).toEqual({
      hyperparameter: name,
      asked: 2,
      different: 1,
      values: [usual],
      continuous: null,
    });
  });
});

describe.each(numeric)('%s: %s as a number', (recipe, name, hyperparameter) => {
  const { ends, places } = decimals(hyperparameter);
  const [min, max] = ends.map((digits) => decimal(digits, places)) as [number, number];

  it('steps from min to the last point up to max', () => {
    for (const step of [1, 7, ends[1] - ends[0]]) {
      const count = Math.floor((ends[1] - ends[0]) / step) + 1;
      const axis = Array.from({ length: count }, (_, i) => decimal(ends[0] + i * step, places));
      expect(numbersOf(recipe, name, { min, max, step: decimal(step, places) })).toEqual(axis);
    }
  });

  it('accepts a number of points; both ends are exact', () => {
    for (const count of [2, 3, 7]) {
      const axis = Array.from({ length: count }, (_, i) => (min * (count - 1 - i) + max * i) / (count - 1));
      axis[count - 1] = max;
      axis[0] = min;
      const range = { min, max, count };
      if (hyperparameter.kind === 'real') near(numbersOf(recipe, name, range), axis);
      else expect(numbersOf(recipe, name, range)).toEqual(axis.map(Math.round));
      expect(plannedOf(recipe, name, range)?.values).toEqual(numbersOf(recipe, name, range));
    }
  });

  it('accepts a number of points on a log scale; both ends are exact', () => {
    for (const count of [2, 3, 7]) {
      const power = (i: number) =>
        Math.exp(Math.log(min) + (i / (count - 1)) * (Math.log(max) - Math.log(min)));
      const axis = [min, ...Array.from({ length: count - 2 }, (_, i) => power(i + 1)), max];
      const range = { min, max, count, scale: 'log' as const };
      if (hyperparameter.kind === 'real') near(numbersOf(recipe, name, range), axis);
      else expect(numbersOf(recipe, name, range)).toEqual([...new Set(axis.map(Math.round))]);
    }
  });

  it('is drawn within the range, from both halves of its scale', () => {
    for (const scale of ['linear', 'log'] as const) {
      const search = { strategy: 'random', trials: 40, seed: 1 };
      const drawn = numbersOf(recipe, name, { min, max, scale }, { search });
      const middle = scale === 'log' ? Math.sqrt(min * max) : (min + max) / 2;
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(min);
      expect(Math.max(...drawn)).toBeLessThanOrEqual(max);
      expect(Math.min(...drawn)).toBeLessThan(middle);
      expect(Math.max(...drawn)).toBeGreaterThan(middle);
      if (hyperparameter.kind === 'whole') expect(drawn).toEqual(drawn.map(Math.round));
      else expect(drawn.filter(Number.isInteger)).toEqual([]);
    }
  });

  it('refuses ends that are not values of the hyperparameter, and names the path', () => {
    const beyond = hyperparameter.bounds.max * 10;
    const below =
      'above' in hyperparameter.bounds ? hyperparameter.bounds.above : hyperparameter.bounds.min - 1;
    const issuesOf = (range: object) =>
      SweepDefinition.safeParse({
        name: 'test',
        recipes: recipe,
        dataset: { name: 'glyphs' },
        space: { [name]: range },
      }).error?.issues.map(({ path, message }) => [path.join('.'), message]);
    expect(issuesOf({ min, max: beyond, step: beyond })).toEqual([
      [`space.${name}.max`, `Expected at most ${hyperparameter.bounds.max}, but got ${beyond}`],
    ]);
    const expected = 'above' in hyperparameter.bounds ? `more than ${below}` : `at least ${below + 1}`;
    expect(issuesOf({ min: below, max, count: 3 })).toEqual([
      [`space.${name}.min`, `Expected ${expected}, but got ${below}`],
    ]);
    if (hyperparameter.kind !== 'whole') return;
    expect(issuesOf({ min: 1.5, max, count: 3 })).toEqual([
      [`space.${name}.min`, 'Expected a whole number, but got 1.5'],
    ]);
    expect(issuesOf({ min, max: max - 0.25 })).toEqual([
      [`space.${name}.max`, `Expected a whole number, but got ${max - 0.25}`],
    ]);
    expect(issuesOf({ min, max, step: 0.5 })).toEqual([
      [`space.${name}.step`, 'Expected a whole number, but got 0.5'],
    ]);
  });
});

describe('points of ranges', () => {
  it('are four for the ε of adversarial training, and three for a rate', () => {
    expect(numbersOf('adversarial-training', 'trainingEpsilon', { min: 0.1, max: 0.4, count: 4 })).toEqual([
      0.1, 0.2, 0.3, 0.4,
    ]);
    const rates = { min: 1e-4, max: 1e-2, count: 3, scale: 'log' as const };
    expect(numbersOf('funn', 'optimiseDefenderRate', rates)).toEqual([1e-4, 1e-3, 1e-2]);
  });

  it.each([
    [{ min: 0.30000000000000004, max: 0.9, count: 2 }, [0.30000000000000004, 0.9]],
    [{ min: 0.30000000000000004, max: 0.9, step: 0.3 }, [0.30000000000000004, 0.6, 0.9]],
    [{ min: 0.1, max: 0.30000000000000004, step: 0.1 }, [0.1, 0.2, 0.30000000000000004]],
    [{ min: 0, max: 1, step: 0.33333333334 }, [0, 0.33333333334, 0.66666666668, 1]], // the last step misses 1 by less than 1e-9 of a step
    [{ min: 1e-7, max: 3.1622776601684e-4, count: 2, scale: 'log' as const }, [1e-7, 3.1622776601684e-4]],
  ])('keep every digit of the ends of %j', (range, values) => {
    expect(numbersOf('funn', 'gamma', range)).toEqual(values);
  });

  it.each(['linear', 'log'] as const)(
    'that round to the same whole number are counted once (%s)',
    (scale) => {
      for (const [min, max] of [[1, 3], [1, 100], [7, 4096], [100, 130], [1, 2]] as const) // biome-ignore format: pairs
        for (const count of [2, 3, 5, 17, 60, 300, 5000]) {
          const at = (share: number) =>
            scale === 'log' ? min * (max / min) ** share : min + (max - min) * share;
          const points = Array.from({ length: count }, (_, i) => Number(at(i / (count - 1)).toPrecision(12)));
          const different = [...new Set(points.map(Math.round))];
          const range = { min, max, count, scale };
          expect(numbersOf('funn', 'latent', range), JSON.stringify(range)).toEqual(different);
          expect(plannedOf('funn', 'latent', range)).toMatchObject({
            asked: count,
            different: different.length,
          });
        }
    },
  );

  it('refuses ends with too few digits, and on a log scale ends whose ratio overflows', () => {
    const issueOf = (optimiseDefenderRate: object) =>
      SweepDefinition.safeParse({
        name: 'x',
        dataset: { name: 'glyphs' },
        space: { optimiseDefenderRate },
      }).error?.issues.map(({ path, message }) => [path.join('.'), message]);
    const path = 'space.optimiseDefenderRate.min';
    expect(issueOf({ min: 5e-324, max: 1, count: 5, scale: 'log' })).toEqual([
      [path, 'Expected at least 2.2250738585072014e-308, but got 5e-324'],
    ]);
    const gamma = { min: 1e-307, max: 1e6, scale: 'log' };
    expect(
      SweepDefinition.safeParse({ name: 'x', dataset: { name: 'glyphs' }, space: { gamma } }).error
        ?.issues[0],
    ).toMatchObject({
      path: ['space', 'gamma', 'min'],
      message: 'Expected at least 1e-294 on a log scale, but got 1e-307',
    });
    expect(issueOf({ min: 1e-300, max: 1, count: 4, scale: 'log' })).toBeUndefined();
  });

  it('refuses points so close together that they are equal after rounding', () => {
    const issueOf = (gamma: object) =>
      SweepDefinition.safeParse({ name: 'x', dataset: { name: 'glyphs' }, space: { gamma } }).error
        ?.issues[0];
    expect(issueOf({ min: 0, max: 1e6, step: 1e-8 })).toBeUndefined();
    expect(issueOf({ min: 0, max: 1e6, step: 1e-9 })).toMatchObject({
      path: ['space', 'gamma', 'step'],
      message: 'Expected a step of at least 1e-8, but got 1e-9',
    });
    expect(issueOf({ min: 1, max: 1 + 1e-10, count: 100 })).toMatchObject({
      path: ['space', 'gamma', 'count'],
    });
  });
});
