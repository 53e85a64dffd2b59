import { describe, expect, it } from 'vitest';
import { decide as decidePrepared, prepare } from '../src/decide.ts';
import type { Decision, Decisions, Unit } from '../src/decision.ts';
import { nextDue } from '../src/next-due.ts';
import type { Outcome } from '../src/observation.ts';
import type { Search } from '../src/search.ts';
import { simulateSearch } from '../src/simulate.ts';
import type { Space } from '../src/space.ts';
import { runWorkers } from './support/run-workers.ts';

const space: Space = [
  { name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } },
  { name: 'kind', dimension: ['a', 'b', 'c'] },
];
const decide = (search: Search, decisions: Decisions, number: number) =>
  decidePrepared(prepare(search), decisions, number, Number.POSITIVE_INFINITY);
const fidelity = { min: 1, max: 9, eta: 3 };
const searchOf = (changes: Partial<Search>): Search => ({
  space,
  strategy: 'tpe',
  objectives: 1,
  seed: 7,
  parallelism: 4,
  order: 'reproducible',
  promotion: null,
  earlier: [],
  tryFirst: [],
  handPoints: [],
  stop: {},
  ...changes,
});
const evaluate = ({ point, rung }: Pick<Unit, 'point' | 'rung'>): Outcome =>
  Number(point.x) > 0.95
    ? { status: 'bad' }
    : {
        status: 'measured',
        utilities: [-((Number(point.x) - 0.3) ** 2) + (point.kind === 'b' ? 0.1 : 0) + rung],
      };

const searches: readonly [string, Search][] = [
  ['tpe', searchOf({})],
  ['nsga2', searchOf({ strategy: 'nsga2' })],
  ['asha with tpe', searchOf({ promotion: { rule: 'asha', fidelity } })],
  ['hyperband with tpe', searchOf({ promotion: { rule: 'hyperband', fidelity } })],
  [
    'successive halving with random',
    searchOf({ strategy: 'random', promotion: { rule: 'successive-halving', fidelity } }),
  ],
];

describe.each(searches)('%s', (_, search) => {
  const expected = simulateSearch(search, 40, evaluate);

  it.each([1, 2, 8])('makes the same decisions with %i workers, in whatever order units end', (workers) => {
    for (const order of [1, 2])
      expect(JSON.stringify(runWorkers(search, 40, evaluate, { workers, order }))).toBe(
        JSON.stringify(expected),
      );
  });

  it('makes the same decisions when one unit ends last of all that run', () => {
    expect(runWorkers(search, 40, evaluate, { workers: 4, order: 3, slow: [2, 15] })).toEqual(expected);
  });

  it('starts a longer search with the decisions of a shorter one', () => {
    const shorter = simulateSearch(search, 20, evaluate);
    expect(shorter.length).toBeLessThan(expected.length);
    expect(expected.slice(0, shorter.length)).toEqual(shorter);
  });

  it('does not use outcomes that it does not need', () => {
    const number = 24;
    const known = decide(search, expected, number);
    const needed = (decision: Decision, at: number): Decision =>
      decision.kind === 'unit' && decide(search, hide(expected, at), number).kind !== 'wait'
        ? { ...decision, outcome: { status: 'measured', utilities: [1e6] } }
        : decision;
    expect(decide(search, expected.slice(0, number).map(needed), number)).toEqual(known);
  });
});

const hide = (decisions: readonly Decision[], at: number): Decision[] =>
  decisions.map((decision, number) =>
    number === at && decision.kind === 'unit' ? { ...decision, outcome: { status: 'pending' } } : decision,
  );

describe('a search without promotion', () => {
  const search = searchOf({});

  it('decides the first ten points without outcomes, and then waits for the first seven', () => {
    const decisions: Decision[] = [];
    for (let number = 0; number < 10; number++) {
      const choice = decide(search, decisions, number);
      if (choice.kind !== 'propose') throw new Error(`Expected a proposal, but got ${choice.kind}`);
      decisions.push({
        kind: 'unit',
        configuration: number,
        rung: 0,
        newEpochs: 0,
        point: choice.point,
        outcome: { status: 'pending' },
      });
    }
    expect(nextDue(search, decisions, 50)).toEqual({ kind: 'wait', numbers: [0, 1, 2, 3, 4, 5, 6] });
  });

  it('ends before one proposal too many', () => {
    const decisions = simulateSearch(search, 12, evaluate);
    expect(decisions).toHaveLength(12);
    expect(nextDue(search, decisions, 12)).toEqual({ kind: 'end', reason: 'trials' });
    expect(nextDue(search, decisions, 13).kind).toBe('due');
  });

  it('ends when its space has no more points', () => {
    const small = searchOf({ space: [{ name: 'kind', dimension: ['a', 'b'] }] });
    const decisions = simulateSearch(small, 12, evaluate);
    expect(decisions).toHaveLength(2);
    expect(nextDue(small, decisions, 12)).toEqual({ kind: 'end', reason: 'exhausted' });
  });

  it.each([[[Number.NaN]], [[1, 2]], [[]]])('refuses the utilities %o', (utilities) => {
    const decisions = simulateSearch(search, 14, evaluate).map((decision, number) =>
      number === 3 && decision.kind === 'unit'
        ? { ...decision, outcome: { status: 'measured' as const, utilities } }
        : decision,
    );
    expect(() => decide(search, decisions, 14)).toThrow(/Expected 1 utilities of decision 3/);
  });
});
