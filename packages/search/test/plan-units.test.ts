import { describe, expect, it } from 'vitest';
import type { Unit } from '../src/decision.ts';
import { planUnits } from '../src/plan-units.ts';
import { createRandom } from '../src/random.ts';
import type { Search } from '../src/search.ts';
import { simulateSearch } from '../src/simulate.ts';

const fidelity = { min: 1, max: 27, eta: 3 };
const searchOf = (changes: Partial<Search> = {}): Search => ({
  space: [{ name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } }],
  strategy: 'random',
  objectives: 1,
  seed: 0,
  parallelism: 1,
  order: 'reproducible',
  promotion: null,
  earlier: [],
  tryFirst: [],
  handPoints: [],
  stop: {},
  ...changes,
});
const rungsOf = (units: readonly { readonly rung: number }[]): readonly number[] =>
  units.map(({ rung }) => rung);

describe.each(['hyperband', 'successive-halving'] as const)('the plan of %s', (rule) => {
  const search = searchOf({ promotion: { rule, fidelity } });

  it.each([1, 9, 26, 27, 28, 30, 56, 39, 49, 53, 60])(
    'has the units that %i good configurations make',
    (configurations) => {
      const decisions = simulateSearch(search, configurations, ({ point }) => ({
        status: 'measured',
        utilities: [Number(point.x)],
      })) as readonly Unit[];
      expect(rungsOf(planUnits(search, configurations).units)).toEqual(rungsOf(decisions));
    },
  );

  it('says how many configurations the last bracket lacks', () => {
    const first = rule === 'hyperband' ? 27 : 28;
    expect(planUnits(search, first).missing).toBe(0);
    expect(planUnits(search, 20).missing).toBe(first - 20);
    expect(planUnits(search, 30).missing).toBe(rule === 'hyperband' ? 9 : 26);
  });
});

it.each([
  ['asynchronous', 1, 120],
  ['reproducible', 1, 120],
  ['reproducible', 4, 120],
  ['reproducible', 16, 30],
  ['reproducible', 1, 9],
  ['reproducible', 1, 10],
  ['reproducible', 1000, 60],
] as const)(
  'the plan of asha has the units that its rule makes for the same outcomes: %s, parallelism %i, %i configurations',
  (order, parallelism, configurations) => {
    const search = searchOf({ order, parallelism, promotion: { rule: 'asha', fidelity } });
    const random = createRandom('plan of asha');
    const outcomes = new Map<string, number>();
    const decisions = simulateSearch(search, configurations, ({ point }) => {
      const key = String(point.x);
      if (!outcomes.has(key)) outcomes.set(key, random.uniform());
      return { status: 'measured', utilities: [outcomes.get(key)!] };
    }) as readonly Unit[];
    const numbers = decisions.flatMap(({ configuration }, number) =>
      configuration === number ? [number] : [],
    );
    expect(planUnits(search, configurations).units).toEqual(
      decisions.map(({ configuration, rung }) => ({ configuration: numbers.indexOf(configuration), rung })),
    );
  },
);

it('asha promotes nothing if it proposes its last configuration before it knows an outcome', () => {
  const promotion = { rule: 'asha', fidelity } as const;
  for (const [configurations, parallelism] of [
    [9, 1],
    [60, 1000],
  ] as const)
    expect(planUnits(searchOf({ parallelism, promotion }), configurations).units).toHaveLength(
      configurations,
    );
});

it('has no more points than the space', () => {
  const space = [{ name: 'kind', dimension: ['a', 'b', 'c'] }];
  const { points, units } = planUnits(searchOf({ space }), 20);
  expect(points).toEqual([{ kind: 'a' }, { kind: 'b' }, { kind: 'c' }]);
  expect(units).toHaveLength(3);
  const large = planUnits(searchOf(), 500).points;
  expect(new Set(large.map(({ x }) => x)).size).toBe(500);
});
