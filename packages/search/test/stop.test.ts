import { describe, expect, it } from 'vitest';
import type { Decision, Unit } from '../src/decision.ts';
import type { Outcome } from '../src/observation.ts';
import type { Search } from '../src/search.ts';
import { simulateSearch } from '../src/simulate.ts';
import { isStopped, type StopRules } from '../src/stop.ts';
import { runWorkers } from './support/run-workers.ts';

const unit = (utilities: readonly number[] | 'bad' | 'pending', rung = 0, newEpochs = 1): Decision => ({
  kind: 'unit',
  configuration: 0,
  point: {},
  rung,
  newEpochs,
  outcome: typeof utilities === 'string' ? { status: utilities } : { status: 'measured', utilities },
});

describe('a rule', () => {
  it('counts the epochs of all units, also of pending ones', () => {
    const seen = [unit([1], 0, 30), { kind: 'empty' } as const, unit('pending', 0, 20), undefined];
    expect(isStopped({ epochs: 51 }, seen)).toBe(false);
    expect(isStopped({ epochs: 50 }, seen)).toBe(true);
    expect(isStopped({}, seen)).toBe(false);
  });

  it.each<[string, readonly Decision[], number]>([
    ['nothing', [], 0],
    ['one value', [unit([1])], 0],
    ['equal and worse values', [unit([2]), unit([2]), unit([1])], 2],
    ['a better one', [unit([1]), unit([0]), unit([2]), unit([1])], 1],
    ['bad units', [unit('bad'), unit('bad')], 2],
    ['a pending unit, which does not count', [unit([1]), unit('pending'), unit([0])], 1],
    ['a higher rung, which always improves', [unit([5]), unit([1], 1), unit([9], 0), unit([0.5], 1)], 2],
    ['infinity', [unit([Number.POSITIVE_INFINITY]), unit([1e300])], 1],
    ['a new point of the front', [unit([1, 5]), unit([5, 1]), unit([2, 2]), unit([1, 4])], 1],
  ])('counts outcomes without improvement: %s', (_, seen, count) => {
    expect(isStopped({ decisionsWithoutImprovement: count + 1 }, seen)).toBe(false);
    if (count > 0) expect(isStopped({ decisionsWithoutImprovement: count }, seen)).toBe(true);
  });
});

const fidelity = { min: 1, max: 9, eta: 3 };
const searchOf = (stop: StopRules, changes: Partial<Search> = {}): Search => ({
  space: [{ name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } }],
  strategy: 'tpe',
  objectives: 1,
  seed: 3,
  parallelism: 4,
  order: 'reproducible',
  promotion: null,
  earlier: [],
  tryFirst: [],
  handPoints: [],
  stop,
  ...changes,
});
const evaluate = ({ point }: Pick<Unit, 'point'>): Outcome => ({
  status: 'measured',
  utilities: [-((Number(point.x) - 0.3) ** 2)],
});
const newEpochs = ({ rung }: Unit): number => [1, 2, 6][rung]!;

describe.each<[string, Search]>([
  ['tpe', searchOf({ decisionsWithoutImprovement: 8 })],
  ['tpe with a number of epochs', searchOf({ epochs: 25 })],
  // Here a promotion is stopped and a proposal of the next bracket is not: whichever is due first must not matter.
  [
    'successive halving where a promotion is stopped',
    searchOf(
      { decisionsWithoutImprovement: 18 },
      { promotion: { rule: 'successive-halving', fidelity }, strategy: 'random', seed: 0 },
    ),
  ],
  [
    'hyperband where a promotion is stopped',
    searchOf(
      { decisionsWithoutImprovement: 15 },
      { promotion: { rule: 'hyperband', fidelity }, strategy: 'random', seed: 0 },
    ),
  ],
  ['asha', searchOf({ epochs: 70 }, { promotion: { rule: 'asha', fidelity } })],
  ['hyperband with epochs', searchOf({ epochs: 100 }, { promotion: { rule: 'hyperband', fidelity } })],
  [
    'hyperband without improvement',
    searchOf({ decisionsWithoutImprovement: 20 }, { promotion: { rule: 'hyperband', fidelity } }),
  ],
  [
    'successive halving',
    searchOf({ epochs: 61 }, { promotion: { rule: 'successive-halving', fidelity }, strategy: 'random' }),
  ],
])('%s', (_, search) => {
  const expected = simulateSearch(search, 200, evaluate, newEpochs);

  it('stops before it has all of its configurations', () => {
    expect(expected.length).toBeGreaterThan(10);
    expect(expected.length).toBeLessThan(200);
  });

  it.each([1, 2, 3, 8])(
    'stops after the same decisions with %i workers, in whatever order units end',
    (workers) => {
      for (const order of [1, 2, 3])
        expect(
          JSON.stringify(runWorkers(search, 200, evaluate, { workers, order, newEpochs, slow: [1, 14, 30] })),
        ).toBe(JSON.stringify(expected));
    },
  );
});

it('a search that proposes one after the other has just the epochs of its rule', () => {
  const decisions = simulateSearch(searchOf({ epochs: 25 }), 200, evaluate, () => 10);
  expect(decisions).toHaveLength(3); // 20 epochs are too few, 30 are enough
});
