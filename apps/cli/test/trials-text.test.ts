/** The table of `funnel trials`: every share and median with its 95 % interval. */
import { type StoredDefinition, SweepDefinition, storedDefinition, type Trial } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { describeTrials } from '../src/output/trials.ts';

const definitionWith = (objective?: object): StoredDefinition =>
  storedDefinition(
    SweepDefinition.parse({
      ...{ name: 'test', dataset: { name: 'glyphs', train: 400, test: 200, attack: 60 }, space: {} },
      attacks: [
        { attack: 'pgd-linf', epsilon: 0.1 },
        { attack: 'deepfool-l2', steps: 30 },
      ],
      ...(objective && { objective }),
    }),
  );

const share = { images: 60, attempted: 50, successes: 14, robustAccuracy: 0.6 };
const trial = {
  ...{ id: 's-00000', sweepId: 's', number: 0, recipe: 'funn', dataset: 'glyphs', seed: 0 },
  ...{ hyperparameters: {}, status: 'completed', cleanAccuracy: 0.875, verdict: 'ok' },
  evaluations: [
    { attack: 'pgd-linf', settings: { epsilon: 0.1 }, summary: share, verdict: 'ok' },
    {
      ...{ attack: 'deepfool-l2', settings: { steps: 30 }, verdict: 'ok' },
      summary: { ...share, robustAccuracy: null, medianL2: 1.413 },
      intervals: { medianL2: [1.139, 'Infinity'] },
    },
  ],
  worstCase: { within: { linf: 0.1 }, values: { robustAccuracy: 0.6 } },
} as unknown as Trial;

const cells = (text: string): string[][] => text.split('\n').map((line) => line.split(/ {2,}/));

it('has the clean accuracy and the worst case with their intervals', () => {
  const [titles, row] = cells(describeTrials([trial], definitionWith()));
  expect(titles!.slice(5, 7)).toEqual(['clean', 'robust accuracy']);
  expect(row!.slice(4, 7)).toEqual(['completed', '87.5 % (82.2–91.4)', '60.0 % (47.4–71.4)']);
});

it('has the median by which the sweep ranks, with its interval', () => {
  const ranked = definitionWith({ attack: 'deepfool-l2', metric: 'medianL2' });
  const [titles, row] = cells(describeTrials([trial], ranked));
  expect(titles![6]).toBe('median L2, deepfool-l2');
  expect(row![6]).toBe('1.413 (1.14–∞)');
});

it('has no second clean accuracy in a sweep that ranks by it', () => {
  const [titles] = cells(describeTrials([trial], definitionWith({ metric: 'cleanAccuracy' })));
  expect(titles!.slice(5, 7)).toEqual(['clean', 'attacks']);
});
