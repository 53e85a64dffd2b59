import { SearchDecision, SearchState, type SweepInput } from '@funnel/contracts';
import type { RecordedDecision, SearchRecord } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import { describeDecisions } from '../src/describe-decisions.ts';
import { describeSearch } from '../src/describe-search.ts';
import { ordinal } from '../src/promotion-notes.ts';
import { emptyRecord, type Result, runSearch } from './support/simulated-search.ts';

const completed = (...values: readonly number[]): Result => ({ status: 'completed', verdict: 'ok', values });

/** The first `count` points that the search tries have these values of γ. */
const trying = (gammas: readonly number[]) => gammas.map((gamma) => ({ gamma, beta: 0.01 }));
const fidelity = { hyperparameter: 'optimiseEpochs', min: 1, max: 9 };
/** Robust accuracy is γ / 10, and a tenth of a percent more at each rung. γ = 1 diverges. */
const evaluate = ({ point, rung }: RecordedDecision): Result =>
  point!.gamma === 1
    ? { status: 'diverged', verdict: null, values: [null] }
    : completed(Number(point!.gamma) / 10 + rung! / 1000);

const halving = (changes: object = {}): Partial<SweepInput> => ({
  search: {
    strategy: 'hyperband',
    trials: 9,
    fidelity,
    try: trying([2, 9, 4, 1, 8, 3, 7, 5, 6]),
    ...changes,
  } as SweepInput['search'],
});
const run = (record: SearchRecord) => runSearch(record, { workers: 1, evaluate });

describe('the decisions of a bracket', () => {
  const record = run(emptyRecord(halving()));
  const decisions = describeDecisions(record);

  it('say why each was made, and whether its configuration went on', () => {
    expect(decisions.map(({ number, source, configuration, rung, promoted, note }) => [number, source, configuration, rung, promoted, note])).toEqual([
      [0, 'try', 0, 0, false, 'One of the points to try first. 8th of 9 at rung 0; the best 3 went on.'],
      [1, 'try', 1, 0, true, 'One of the points to try first. 1st of 9 at rung 0; the best 3 went on.'],
      [2, 'try', 2, 0, false, 'One of the points to try first. 6th of 9 at rung 0; the best 3 went on.'],
      [3, 'try', 3, 0, false, 'One of the points to try first. Bad units do not go on.'],
      [4, 'try', 4, 0, true, 'One of the points to try first. 2nd of 9 at rung 0; the best 3 went on.'],
      [5, 'try', 5, 0, false, 'One of the points to try first. 7th of 9 at rung 0; the best 3 went on.'],
      [6, 'try', 6, 0, true, 'One of the points to try first. 3rd of 9 at rung 0; the best 3 went on.'],
      [7, 'try', 7, 0, false, 'One of the points to try first. 5th of 9 at rung 0; the best 3 went on.'],
      [8, 'try', 8, 0, false, 'One of the points to try first. 4th of 9 at rung 0; the best 3 went on.'],
      [9, 'promotion', 1, 1, true, '1st of 9 at rung 0, so it went on to 3 epochs. 1st of 3 at rung 1; the best one went on.'],
      [10, 'promotion', 4, 1, false, '2nd of 9 at rung 0, so it went on to 3 epochs. 2nd of 3 at rung 1; the best one went on.'],
      [11, 'promotion', 6, 1, false, '3rd of 9 at rung 0, so it went on to 3 epochs. 3rd of 3 at rung 1; the best one went on.'],
      [12, 'promotion', 1, 2, null, '1st of 3 at rung 1, so it went on to 9 epochs.'],
    ]); // biome-ignore format: a table
    expect(decisions[3]!.outcome).toEqual({ status: 'bad', values: [null], reason: 'the trial diverged' });
    expect(decisions[4]!.outcome).toEqual({ status: 'measured', values: [0.8], reason: null });
    expect(decisions.map(({ epochs }) => epochs)).toEqual([...Array(9).fill(1), 3, 3, 3, 9]);
    expect(decisions[0]!.trials).toEqual(['0-0']);
  });

  it('match the schema of the API', () => {
    for (const decision of decisions) expect(SearchDecision.parse(decision)).toEqual(decision);
  });

  it('leave open what is not known yet', () => {
    const open = describeDecisions({ ...record, ended: null, decisions: record.decisions.slice(0, 8) });
    expect(open.map(({ promoted }) => promoted)).toEqual([null, null, null, false, null, null, null, null]);
    const full = describeDecisions({ ...record, ended: null, decisions: record.decisions.slice(0, 9) });
    expect(full.map(({ promoted }) => promoted)).toEqual([
      false,
      null,
      false,
      false,
      null,
      false,
      null,
      false,
      false,
    ]);
    expect(full[1]!.note).toBe('One of the points to try first. 1st of 9 at rung 0; the best 3 will go on.');
  });

  it('say that a bracket was cut short', () => {
    const short = describeDecisions(run(emptyRecord(halving({ trials: 4, try: trying([2, 9, 4]) }))));
    expect(short.map(({ promoted }) => promoted)).toEqual([false, false, false, false]);
    expect(short[1]!.note).toBe(
      'One of the points to try first. The search ended before its bracket was complete, so none of it went on.',
    );
    expect(short[3]!.note).toMatch(/^One of the first points, from before ten outcomes were known\. /);
  });

  it('say so if a rule stopped the search before a promotion', () => {
    const stopped = describeDecisions({ ...record, decisions: record.decisions.slice(0, 9) });
    expect(stopped[1]).toMatchObject({
      promoted: false,
      note: 'One of the points to try first. 1st of 9 at rung 0; none of them went on.',
    });
  });

  it('say that a place stays empty', () => {
    const bad = runSearch(emptyRecord(halving()), {
      workers: 1,
      evaluate: ({ point }) =>
        point!.gamma === 9 ? completed(0.5) : { ...completed(0.5), verdict: 'masked' },
    });
    const [promoted, empty] = describeDecisions(bad).slice(9);
    expect(promoted).toMatchObject({
      configuration: 1,
      rung: 1,
      note: expect.stringMatching(/^1st of 9 at rung 0/),
    });
    expect(empty).toEqual({
      number: 10,
      source: 'empty',
      configuration: null,
      point: null,
      rung: null,
      epochs: null,
      trials: [],
      outcome: { status: 'bad', values: [], reason: null },
      promoted: null,
      note: 'The place stays empty: no good unit was left to promote.',
      decidedAt: bad.createdAt,
    });
  });
});

it('the decisions of ASHA compete with all of their rung', () => {
  const search = { strategy: 'asha', trials: 14, fidelity, parallelism: 1 } as const;
  const record = run(emptyRecord({ search }));
  const decisions = describeDecisions(record);
  const rung0 = decisions.filter(({ rung }) => rung === 0);
  const place = (number: number): number =>
    1 +
    rung0.filter(({ outcome }) => Number(outcome.values[0]) > Number(decisions[number]!.outcome.values[0]))
      .length;
  const promoted = rung0.filter(({ number }) =>
    decisions.some(({ configuration, rung }) => configuration === number && rung === 1),
  );
  expect(promoted.length).toBeGreaterThan(2);
  for (const { number, promoted: wentOn, note } of rung0) {
    expect(wentOn).toBe(promoted.some((each) => each.number === number));
    if (!wentOn)
      expect(note).toContain(`${ordinal(place(number))} of 14 at rung 0; ${promoted.length} went on.`);
  }
});

it('ordinals', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal)).toEqual([
    '1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '102nd', '111th',
  ]); // biome-ignore format: a list
});

describe('the state of a search', () => {
  it('with promotion has its rungs, and the best at the highest rung', () => {
    const state = describeSearch('s1', run(emptyRecord(halving())));
    expect(SearchState.parse(state)).toEqual(state);
    expect(state).toEqual({
      sweepId: 's1',
      ended: 'trials',
      configurations: 9,
      proposed: 9,
      decisions: 13,
      rungs: [
        { epochs: 1, units: 9, ended: 9 },
        { epochs: 3, units: 3, ended: 3 },
        { epochs: 9, units: 1, ended: 1 },
      ],
      objectives: [
        {
          title: 'Robust accuracy (pgd-linf)',
          attack: 'pgd-linf',
          metric: 'robustAccuracy',
          direction: 'max',
        },
      ],
      earlier: 0,
      waitingPoints: [],
      best: { decision: 12, values: [0.902] },
      front: [],
      hypervolume: null,
    });
  });

  it('before any outcome has no best, and shows the points that wait', () => {
    const handPoints = [{ gamma: 3, beta: 0.01 }];
    expect(describeSearch('s1', { ...emptyRecord(halving()), handPoints })).toMatchObject({
      ended: null,
      proposed: 0,
      rungs: [{ units: 0 }, { units: 0 }, { units: 0 }],
      waitingPoints: handPoints,
      best: null,
    });
  });

  it('takes the least value where less is better, and the first of equal ones', () => {
    const record = emptyRecord({
      search: { strategy: 'tpe', trials: 4, try: trying([2, 5, 1.5, 4]) },
      objective: { attack: 'pgd-linf', metric: 'successRate' },
    });
    const success = runSearch(record, {
      workers: 1,
      evaluate: ({ point }) => completed(Math.max(0.2, Number(point!.gamma) / 10)),
    });
    expect(describeSearch('s1', success).best).toEqual({ decision: 0, values: [0.2] });
  });

  it('with several objectives has the Pareto front, and its hypervolume over the decisions', () => {
    const values = [[0.2, 1], [0.1, 3], [0.3, 2], [0.25, 1.5], [0.4, Number.POSITIVE_INFINITY]]; // biome-ignore format: a table
    const record = emptyRecord({
      search: { strategy: 'tpe', trials: 5 },
      objective: [
        { attack: 'pgd-linf', metric: 'successRate' },
        { attack: 'fmn-l2', metric: 'medianL2' },
      ],
    });
    const state = describeSearch(
      's1',
      runSearch(record, { workers: 1, evaluate: ({ number }) => completed(...values[number]!) }),
    );
    expect(SearchState.parse(state)).toEqual(state);
    expect(state.best).toBeNull();
    expect(state.front).toEqual([
      { decision: 1, values: [0.1, 3] },
      { decision: 4, values: [0.4, 'Infinity'] },
    ]);
    // The worst finite values are a success of 0.4 and a median of 1. Decision 0 has no extent above them; decision 1 adds 0.3 × 2. The success of
    // decision 4 is the worst, so it adds nothing, although its median is infinite.
    expect(state.hypervolume!.reference).toEqual([0.4, 1]);
    const [first, ...others] = state.hypervolume!.overDecisions;
    expect([first!.decision, others]).toEqual([1, []]);
    expect(first!.value).toBeCloseTo(0.6, 12);
  });
});
