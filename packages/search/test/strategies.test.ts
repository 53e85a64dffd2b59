import { describe, expect, it } from 'vitest';
import type { Search } from '../src/decide.ts';
import type { Unit } from '../src/decision.ts';
import type { Outcome } from '../src/observation.ts';
import { simulateSearch } from '../src/simulate.ts';
import { axesOf, keyOf, type Point, type Space, sharesOf } from '../src/space.ts';
import { type StrategyName, strategies, strategyNames } from '../src/strategies/registry.ts';

const numbers: Space = [
  { name: 'rate', dimension: { min: 1e-5, max: 1e-1, scale: 'log' } },
  { name: 'share', dimension: { min: -1, max: 1, scale: 'linear' } },
  { name: 'step', dimension: { min: 0, max: 0.3, step: 0.1, scale: 'linear' } },
  { name: 'units', dimension: { min: 16, max: 256, scale: 'log' }, isWhole: true },
  { name: 'list', dimension: [25, 1, 5] },
];
const mixed: Space = [
  { name: 'recipe', dimension: ['funn', 'classic'] },
  ...numbers,
  {
    name: 'gamma',
    dimension: { min: 0, max: 9, scale: 'linear' },
    readWhere: { variable: 'recipe', values: ['funn'] },
  },
];

const searchOf = (strategy: StrategyName, space: Space, changes: Partial<Search> = {}): Search => ({
  space,
  strategy,
  objectives: 1,
  seed: 1,
  parallelism: 1,
  promotion: null,
  earlier: [],
  tryFirst: [],
  ...changes,
});

/** Some trials fail, and some have an infinite utility: nothing may break. */
const outcomeOf = (point: Point): Outcome => {
  const utility =
    -((Math.log10(Number(point.rate)) + 3) ** 2) - Number(point.share) ** 2 + Number(point.gamma ?? 0) / 9;
  if (Number(point.share) > 0.8) return { status: 'bad' };
  if (Number(point.share) < -0.9) return { status: 'measured', utilities: [Number.POSITIVE_INFINITY] };
  return { status: 'measured', utilities: [utility] };
};

const unitsOf = (
  search: Search,
  trials: number,
  evaluate = ({ point }: Pick<Unit, 'point'>) => outcomeOf(point),
) => simulateSearch(search, trials, evaluate) as readonly Unit[];

describe.each(strategyNames)('%s', (strategy) => {
  const space = strategies[strategy].handlesCategories ? mixed : numbers;
  const units = unitsOf(searchOf(strategy, space), 60);

  it('proposes as many different points as it should, all of the space', () => {
    const axes = axesOf(space);
    expect(units).toHaveLength(60);
    expect(new Set(units.map(({ point }) => keyOf(axes, point))).size).toBe(60);
    for (const { point } of units) {
      sharesOf(axes, point); // throws for a value that the axis does not have
      expect(Object.keys(point)).toEqual(
        space.map(({ name }) => name).filter((name) => name !== 'gamma' || point.recipe === 'funn'),
      );
    }
  });

  it('gives the same points for the same seed, and others for another seed', () => {
    const again = unitsOf(searchOf(strategy, space), 25);
    expect(again).toEqual(units.slice(0, 25));
    const other = unitsOf(searchOf(strategy, space, { seed: 2 }), 25);
    expect(other.map(({ point }) => point)).not.toEqual(again.map(({ point }) => point));
  });

  it('finds every point of a small space, and then no more', () => {
    const small: Space = [
      { name: 'a', dimension: [1, 2, 3] },
      { name: 'b', dimension: { min: 1, max: 9, step: 1, scale: 'linear' } },
    ];
    const found = unitsOf(searchOf(strategy, small), 100, ({ point }) => ({
      status: 'measured',
      utilities: [-Number(point.a) - Number(point.b)],
    }));
    expect(new Set(found.map(({ point }) => JSON.stringify(point))).size).toBe(27);
    expect(found).toHaveLength(27);
  });

  it('goes on when every trial so far is bad', () => {
    expect(unitsOf(searchOf(strategy, space), 30, () => ({ status: 'bad' }))).toHaveLength(30);
  });

  it('starts with the points to try, and does not repeat points of earlier sweeps', () => {
    const small: Space = [{ name: 'a', dimension: [1, 2, 3, 4] }];
    const search = searchOf(strategy, small, {
      tryFirst: [{ a: 3 }],
      earlier: [{ point: { a: 1 }, outcome: { status: 'measured', utilities: [0] } }],
    });
    const found = unitsOf(search, 10, ({ point }) => ({ status: 'measured', utilities: [Number(point.a)] }));
    expect(found[0]!.point).toEqual({ a: 3 });
    expect(found.map(({ point }) => point.a).sort()).toEqual([2, 3, 4]);
  });
});

const learning = strategyNames.filter((name) => name !== 'random' && name !== 'sobol');

it.each(learning)('%s comes closer to the best point than random search', (strategy) => {
  const space: Space = [
    { name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } },
    { name: 'y', dimension: { min: 0, max: 1, scale: 'linear' } },
  ];
  const distance = ({ x, y }: Point): number => (Number(x) - 0.3) ** 2 + (Number(y) - 0.6) ** 2;
  const best = (name: StrategyName, seed: number): number =>
    Math.min(
      ...unitsOf(searchOf(name, space, { seed }), 60, ({ point }) => ({
        status: 'measured',
        utilities: [-distance(point)],
      })).map(({ point }) => distance(point)),
    );
  const seeds = [1, 2, 3, 4, 5];
  const mean = (name: StrategyName): number =>
    seeds.reduce((sum, seed) => sum + Math.log(best(name, seed)), 0) / seeds.length;
  expect(mean(strategy)).toBeLessThan(mean('random') - 1);
});

it.each(strategyNames.filter((name) => strategies[name].maxObjectives > 1))(
  '%s takes three objectives',
  (strategy) => {
    const search = searchOf(strategy, numbers, { objectives: 3 });
    const units = unitsOf(search, 40, ({ point }) => ({
      status: 'measured',
      utilities: [Number(point.share), -Number(point.units), Number(point.step)],
    }));
    expect(units).toHaveLength(40);
  },
);

it('a strategy refuses categories or objectives that it cannot search', () => {
  expect(() => unitsOf(searchOf('cma-es', mixed), 1)).toThrow(/only numbers that every recipe reads/);
  expect(() => unitsOf(searchOf('gp', numbers, { objectives: 2 }), 1)).toThrow(/at most 1 objective for gp/);
});
