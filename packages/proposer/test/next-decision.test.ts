import type { SweepInput } from '@funnel/contracts';
import type { RecordedDecision, SearchRecord } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import { nextDecision } from '../src/next-decision.ts';
import { emptyRecord, type Result, runSearch, tableOf } from './support/simulated-search.ts';

/** A uniform number in [0, 1) for each call: the multiplicative generator of Park and Miller (1988). */
const uniformFrom = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** Robust accuracy grows with γ near 5 and with the rung; large β diverges, and some classifiers hide their gradients. */
const evaluate = ({ point, rung }: RecordedDecision, seed: number): Result => {
  const [gamma, beta] = [Number(point!.gamma), Number(point!.beta)];
  if (beta > 0.09) return { status: 'diverged', verdict: null, values: [null, null] };
  const accuracy = 0.5 - ((gamma - 5) / 20) ** 2 + 0.02 * rung! + 0.001 * seed;
  return { status: 'completed', verdict: gamma > 9.5 ? 'masked' : 'ok', values: [accuracy, 0.9 + beta] };
};

const searches: readonly [string, SweepInput['search']][] = [
  ['tpe', { strategy: 'tpe', trials: 30 }],
  ['tpe that stops', { strategy: 'tpe', trials: 60, stop: { decisionsWithoutImprovement: 9 } }],
  [
    'asha with constraints',
    {
      strategy: 'asha',
      trials: 30,
      fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
      constraints: ['cleanAccuracy >= 0.91'],
      stop: { epochs: 1500 },
    },
  ],
  [
    'hyperband with tpe',
    { strategy: 'hyperband', trials: 31, fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 } },
  ],
  [
    'hyperband that stops',
    {
      strategy: 'hyperband',
      trials: 60,
      fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
      stop: { epochs: 1800 },
    },
  ],
];

const twoSeeds: Partial<SweepInput> = { seeds: 2 };

describe.each(searches)('%s', (_, search) => {
  const start = emptyRecord({ search, ...twoSeeds });
  const expected = runSearch(start, { workers: 1, evaluate });

  it('makes the same table with 1, 2 and 4 workers, in whatever order units end', () => {
    for (const workers of [1, 2, 4])
      for (const seed of [1, 2, 3])
        expect(tableOf(runSearch(start, { workers, evaluate, uniform: uniformFrom(seed) }))).toBe(
          tableOf(expected),
        );
  });

  it('goes on where a proposer was killed, from any part of the table', () => {
    const made = expected.decisions;
    for (const count of [1, 7, 16, made.length - 2]) {
      const known = { ...start, decisions: made.slice(0, count) };
      expect(tableOf(runSearch(known, { workers: 2, evaluate, uniform: uniformFrom(4) }))).toBe(
        tableOf(expected),
      );
    }
  });
});

it('a search of 20 that is extended by 20 equals a search of 40', () => {
  for (const search of [
    { strategy: 'tpe', trials: 40 },
    { strategy: 'hyperband', trials: 40, fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 } },
    { strategy: 'asha', trials: 40, fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 } },
  ] as const) {
    const whole = emptyRecord({ search, ...twoSeeds });
    const shorter = runSearch(
      { ...whole, configurations: 20 },
      { workers: 3, evaluate, uniform: uniformFrom(5) },
    );
    expect(shorter.ended).toBe('trials');
    const extended = runSearch({ ...shorter, configurations: 40, ended: null }, { workers: 2, evaluate });
    expect(tableOf(extended)).toBe(tableOf(runSearch(whole, { workers: 1, evaluate })));
  }
});

describe('the first decisions of Hyperband', () => {
  const fidelity = { hyperparameter: 'optimiseEpochs', min: 1, max: 9 };
  const record = emptyRecord({ search: { strategy: 'hyperband', trials: 31, fidelity }, ...twoSeeds });
  const { decisions } = runSearch(record, { workers: 1, evaluate });

  it('are nine proposals at rung 0, and then promotions in order of value, by place', () => {
    const accuracy = ({ trials }: RecordedDecision): number =>
      trials.reduce((sum, { values }) => sum + (values[0] ?? Number.NEGATIVE_INFINITY), 0);
    const isGood = ({ trials }: RecordedDecision): boolean =>
      trials.every(({ status, verdict }) => status === 'completed' && verdict === 'ok');
    const rung0 = decisions.slice(0, 9);
    expect(rung0.map(({ rung, epochs }) => [rung, epochs])).toEqual(Array(9).fill([0, 1]));
    const best = rung0.filter(isGood).sort((a, b) => accuracy(b) - accuracy(a));
    expect(decisions.slice(9, 12)).toEqual(
      best.slice(0, 3).map((unit, at) =>
        expect.objectContaining({
          number: 9 + at,
          source: 'promotion',
          configuration: unit.number,
          point: unit.point,
          rung: 1,
          epochs: 3,
          place: at + 1,
          among: 9,
          newEpochs: 2 * (2 + 20), // two epochs more, and a classifier, with two seeds
        }),
      ),
    );
  });

  it('have empty places where no good unit is left', () => {
    const bad = runSearch(record, {
      workers: 2,
      evaluate: () => ({ status: 'failed', verdict: null, values: [null] }),
    });
    expect(bad.decisions.slice(9, 13)).toEqual(
      [9, 10, 11, 12].map((number) => ({
        number,
        source: 'empty',
        configuration: null,
        rung: null,
        epochs: null,
        point: null,
        place: null,
        among: null,
        newEpochs: 0,
        decidedAt: record.createdAt,
        trials: [],
      })),
    );
  });
});

describe('the end of a search', () => {
  const hour = 3_600_000;
  const record = emptyRecord({ search: { strategy: 'tpe', trials: 5, stop: { hours: 2 } } });
  const submitted = Date.parse(record.createdAt);

  it('is `stopped` so many hours after the submission', () => {
    expect(nextDecision(record, submitted + 2 * hour - 1).kind).toBe('decide');
    expect(nextDecision(record, submitted + 2 * hour)).toEqual({ kind: 'end', reason: 'stopped' });
  });

  it('is `trials` when it has all configurations, and `exhausted` when the space has no more points', () => {
    const run = (input: Partial<SweepInput>): SearchRecord['ended'] =>
      runSearch(emptyRecord(input), { workers: 1, evaluate }).ended;
    expect(run({ search: { strategy: 'tpe', trials: 5 } })).toBe('trials');
    expect(run({ search: { strategy: 'tpe', trials: 5 }, space: { gamma: [1, 2, 3] } })).toBe('exhausted');
  });

  it('is `trials` before a trial would have a number that no sweep has', () => {
    const seeds = 50_000;
    const { definition } = record;
    const made = runSearch(emptyRecord({ search: { strategy: 'tpe', trials: 5 } }), { workers: 1, evaluate });
    const after = (count: number): SearchRecord => ({
      ...record,
      definition: { ...definition, seeds: Array.from({ length: seeds }, (_, seed) => seed) },
      decisions: made.decisions.slice(0, count),
    });
    expect(nextDecision(after(1), submitted).kind).toBe('decide');
    expect(nextDecision(after(2), submitted)).toEqual({ kind: 'end', reason: 'trials' });
  });

  it('stays', () => {
    expect(nextDecision({ ...record, ended: 'exhausted' }, submitted)).toEqual({
      kind: 'end',
      reason: 'exhausted',
    });
  });
});

it('the next proposal takes the first point by hand', () => {
  const record = emptyRecord({ search: { strategy: 'tpe', trials: 5 } });
  const handPoints = [
    { gamma: 7, beta: 0.02 },
    { gamma: 8, beta: 0.03 },
  ];
  const { decisions, handPoints: left } = runSearch({ ...record, handPoints }, { workers: 1, evaluate });
  expect(decisions.slice(0, 3).map(({ source, point }) => [source, point])).toEqual([
    ['hand', handPoints[0]],
    ['hand', handPoints[1]],
    ['start', expect.anything()],
  ]);
  expect(left).toEqual([]);
});
