import type { Trial, TrialVerdict } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { belowBySeedText } from '../../src/statistics/configurations.ts';

const trial = (number: number, gamma: number, verdict: TrialVerdict | null, more = {}): Trial =>
  ({ number, recipe: 'funn', hyperparameters: { gamma, beta: 0.1 }, verdict, ...more }) as unknown as Trial;

it('says beside a trial why its configuration ranks below', () => {
  const masked = 'its configuration ranks below: another seed is masked';
  const trials = [
    trial(0, 1, 'ok'),
    trial(1, 1, 'masked'),
    trial(2, 5, 'suspect'),
    trial(3, 5, 'too-few'),
    trial(4, 9, 'ok'),
    trial(5, 9, 'suspect'),
    trial(6, 1, 'ok', { recipe: 'classic' }),
    trial(7, 1, null, { hyperparameters: { beta: 0.1, gamma: 1 } }),
    trial(8, 1, 'ok', { rung: 1 }),
  ];
  expect(trials.map((each) => belowBySeedText(each, trials))).toEqual([
    masked,
    null, // its own verdict says it
    'its configuration ranks below: another seed has too few images',
    null,
    null,
    null,
    null, // another recipe
    masked, // the order of the names does not matter
    null, // another rung
  ]);
});
