import { describe, expect, it } from 'vitest';
import type { Decision, Unit } from '../src/decision.ts';
import { nextDue } from '../src/next-due.ts';
import type { Outcome } from '../src/observation.ts';
import type { Search } from '../src/search.ts';
import { decisionOf, simulateSearch } from '../src/simulate.ts';
import { runWorkers } from './support/run-workers.ts';

const fidelity = { min: 1, max: 9, eta: 3 };
const searchOf = (changes: Partial<Search> = {}): Search => ({
  space: [{ name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } }],
  strategy: 'tpe',
  objectives: 1,
  seed: 3,
  parallelism: 4,
  order: 'asynchronous',
  promotion: null,
  earlier: [],
  tryFirst: [],
  handPoints: [],
  stop: {},
  ...changes,
});
const evaluate = ({ point, rung }: Pick<Unit, 'point' | 'rung'>): Outcome => ({
  status: 'measured',
  utilities: [-((Number(point.x) - 0.3) ** 2) + rung],
});

/** Decides until nothing is due. */
const decideAll = (search: Search, start: readonly Decision[]): readonly (Decision | undefined)[] => {
  const decisions: (Decision | undefined)[] = [...start];
  for (let due = nextDue(search, decisions, 100); due.kind === 'due'; ) {
    decisions[due.number] = decisionOf(due, decisions);
    due = nextDue(search, decisions, 100);
  }
  return decisions;
};
const end = (decision: Decision | undefined): Decision => {
  const unit = decision as Unit; // the tests end units only
  return { ...unit, outcome: evaluate(unit) };
};

describe('an asynchronous search', () => {
  it('keeps as many units pending as its parallelism says', () => {
    const search = searchOf();
    const first = decideAll(search, []) as Decision[];
    expect(first).toHaveLength(4);
    expect(nextDue(search, first, 100)).toEqual({ kind: 'wait', numbers: [0, 1, 2, 3] });
    const next = decideAll(
      search,
      first.map((decision, number) => (number === 2 ? end(decision) : decision)),
    );
    expect(next).toHaveLength(5);
  });

  it('uses an outcome that the reproducible order would not use yet', () => {
    const known = simulateSearch(searchOf({ parallelism: 1 }), 20, evaluate);
    const changed = known.map((decision, number) =>
      number === 19
        ? { ...(decision as Unit), outcome: { status: 'measured', utilities: [1] } as const }
        : decision,
    );
    const pointAfter = (search: Search, decisions: readonly Decision[]) => nextDue(search, decisions, 100);
    expect(pointAfter(searchOf(), changed)).not.toEqual(pointAfter(searchOf(), known));
    const reproducible = searchOf({ order: 'reproducible' });
    expect(pointAfter(reproducible, changed)).toEqual(pointAfter(reproducible, known));
  });

  it('makes the decisions of the sequential search when one worker runs one unit at a time', () => {
    const sequential = simulateSearch(searchOf({ parallelism: 1, order: 'reproducible' }), 30, evaluate);
    expect(simulateSearch(searchOf({ parallelism: 1 }), 30, evaluate)).toEqual(sequential);
  });

  it('depends on the order in which units end', () => {
    const run = (order: number) =>
      JSON.stringify(runWorkers(searchOf(), 40, evaluate, { workers: 4, order }));
    expect(new Set([1, 2, 3].map(run)).size).toBe(3);
  });
});

describe.each([
  ['hyperband', [9, 3, 1]],
  ['successive-halving', [10, 4, 2]],
] as const)('asynchronous %s', (rule, [first, second, third]) => {
  const search = searchOf({ promotion: { rule, fidelity } });

  it('promotes the best of a rung after all of its units have ended', () => {
    const decisions = runWorkers(search, first, evaluate, { workers: 4, order: 5 }) as readonly Unit[];
    const [rung0, rung1] = [0, 1].map((rung) => decisions.filter((unit) => unit.rung === rung));
    const utility = (unit: Unit): number => (unit.outcome as { utilities: readonly number[] }).utilities[0]!;
    const best = rung0!.toSorted((a, b) => utility(b) - utility(a)).slice(0, second);
    expect(rung0).toHaveLength(first);
    expect(rung1!.map(({ configuration }) => configuration)).toEqual(
      best.map((unit) => decisions.indexOf(unit)),
    );
  });

  it('proposes for the next bracket while a rung waits for its last unit', () => {
    let decisions: readonly (Decision | undefined)[] = [];
    // All units of the first rung but one end, one after the other.
    for (let number = 0; number < first; number++) {
      decisions = decideAll(search, decisions as Decision[]);
      if (number !== 4)
        decisions = decisions.map((decision, at) => (at === number ? end(decision) : decision));
    }
    decisions = decideAll(search, decisions as Decision[]);
    const promotions = second + third;
    expect(decisions.slice(first, first + promotions)).toEqual(Array(promotions).fill(undefined));
    expect(decisions.length).toBeGreaterThan(first + promotions);
  });
});
