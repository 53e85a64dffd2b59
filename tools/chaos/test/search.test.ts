/** The sweeps of `npm run chaos -- --search`, the work that they need, and the comparison of their decisions. */
import { type SearchDecision, SweepDefinition } from '@funnel/contracts';
import { expect, test } from 'vitest';
import { compareDecisions, digestOfDecisions } from '../src/audit-search.ts';
import { searchCases, searchStrategies, searchSweep, workOf } from '../src/search-sweeps.ts';

const cases = searchCases(searchStrategies, 2, 30);

test.each(cases)('the sweep file of $strategy $seed is right', (searchCase) => {
  expect(SweepDefinition.safeParse(searchSweep(searchCase)).error?.issues).toBeUndefined();
});

test('no two searches have a seed of the networks in common, so they share no stage', () => {
  const seeds = cases.flatMap((each) => each.seeds);
  expect(new Set(seeds).size).toBe(seeds.length);
});

const seeds = [0, 1];
const funn = { recipe: 'funn', latent: 4, gamma: 2.5, beta: 0.1 };
const classic = { recipe: 'classic', latent: 4 };

test('a promoted configuration trains only the epochs between two rungs, and its classifier anew', () => {
  const decisions = [1, 3, 9].map((epochs) => ({ point: funn, epochs }));
  // Initialise 2, optimise 9, three classifiers of 2; one attack at 1 and 3, two at 9; two seeds.
  expect(workOf({ seeds }, decisions)).toEqual({ epochs: 2 * (2 + 9 + 3 * 2), evaluations: 2 * (1 + 1 + 2) });
});

test('configurations share the first stages, an empty place needs nothing, and without rungs every attack runs', () => {
  const decisions = [
    { point: { ...funn, recipe: 'funn' }, epochs: null },
    { point: { ...funn, beta: 0.2 }, epochs: null },
    { point: null, epochs: null },
    { point: classic, epochs: null },
  ];
  // FUNN: initialise 2 once, twice optimise 3 and classify 2. Classic: 2 + 3 in one chain, classify 2.
  expect(workOf({ seeds }, decisions)).toEqual({
    epochs: 2 * (2 + 2 * (3 + 2) + 5 + 2),
    evaluations: 2 * 3 * 2,
  });
});

const decision = (number: number, value: number): SearchDecision => ({
  ...{ number, source: 'start', configuration: number, point: funn, rung: 0, epochs: 1 },
  ...{ trials: [`sweep-${number}`], outcome: { status: 'measured', values: [value], reason: null } },
  ...{ promoted: false, note: null, decidedAt: '2026-11-29T20:00:00.000Z' },
});
const searchCase = { strategy: 'tpe', seed: 0, seeds, configurations: 2 } as const;

test('decisions are compared without ids and times, and the first that differs is named', () => {
  const expected = [{ searchCase, decisions: [decision(0, 0.5), decision(1, 0.25)] }];
  const again = [
    {
      searchCase,
      decisions: expected[0]!.decisions.map((each) => ({
        ...each,
        trials: ['other'],
        decidedAt: '2026-11-29T21:00:00.000Z',
      })),
    },
  ];
  expect(compareDecisions(expected, again)).toEqual([]);
  expect(digestOfDecisions(again)).toBe(digestOfDecisions(expected));
  const other = [{ searchCase, decisions: [decision(0, 0.5), decision(1, 0.75)] }];
  expect(compareDecisions(expected, other)).toEqual([
    expect.stringMatching(/^tpe 0: expected decision .*"number":1.*0\.25.*, but got .*"number":1.*0\.75/),
  ]);
  expect(digestOfDecisions(other)).not.toBe(digestOfDecisions(expected));
  expect(compareDecisions(expected, [{ searchCase, decisions: [decision(0, 0.5)] }])).toEqual([
    expect.stringMatching(/but got none$/),
  ]);
});
