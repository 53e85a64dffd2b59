import { expect, it } from 'vitest';
import { type RecipeName, unfinishedWarmup, unfinishedWarmups } from '../src/index.ts';

const trained = (hyperparameters: Record<string, number>, recipe: RecipeName = 'adversarial-training') => ({
  ...{ recipe, hyperparameters },
  cleanAccuracy: 0.9,
});
const text =
  'It trained at ε up to 0.03, not at `trainingEpsilon` 0.1: `warmupEpochs` (10) is more than its 3 epochs.';

it('a training that ends before its ε has grown says how far it grew', () => {
  const short = { trainingEpsilon: 0.1, classifierEpochs: 3 }; // warmupEpochs: 10 by default
  expect(unfinishedWarmup(trained(short))).toBe(text);
  expect(unfinishedWarmup(trained(short, 'trades'))).toBe(text);
  expect(unfinishedWarmup({ ...trained(short), cleanAccuracy: null })).toBeNull();
  expect(unfinishedWarmup(trained(short, 'detector'))).toBeNull();
  expect(unfinishedWarmup(trained({ ...short, warmupEpochs: 3 }))).toBeNull();
  expect(unfinishedWarmup(trained({ ...short, trainingEpsilon: 0 }))).toBeNull();
  expect(unfinishedWarmup(trained({ ...short, classifierEpochs: 1 }))).toContain('up to 0.01, ');
  expect(unfinishedWarmup(trained({ ...short, classifierEpochs: 1 }))).toContain('its 1 epoch.');
});

it('trials with the same epochs and warm-up share a sentence', () => {
  const short = { trainingEpsilon: 0.1, classifierEpochs: 3 };
  const they =
    'They trained at ε up to 0.03, not at `trainingEpsilon` 0.1: `warmupEpochs` (10) is more than their 3 epochs.';
  const trials = [
    { trialId: 'a', ...trained(short) },
    { trialId: 'b', ...trained({}, 'plain') },
    { trialId: 'c', ...trained(short, 'trades') },
  ];
  expect(unfinishedWarmups(trials.slice(0, 2))).toEqual([{ text, trialIds: ['a'] }]);
  expect(unfinishedWarmups(trials)).toEqual([{ text: they, trialIds: ['a', 'c'] }]);
  // A row for each attack of one trial names it once.
  expect(unfinishedWarmups([trials[0]!, trials[0]!])).toEqual([{ text, trialIds: ['a'] }]);
  expect(
    unfinishedWarmups([
      ...trials,
      { trialId: 'd', ...trained({ ...short, trainingEpsilon: 0.21 }) },
      { trialId: 'e', ...trained({ ...short, classifierEpochs: 1 }) },
    ]),
  ).toEqual([
    {
      text: they.replace('0.03', '0.03–0.063').replace('` 0.1', '` 0.1–0.21'),
      trialIds: ['a', 'c', 'd'],
    },
    {
      text: 'It trained at ε up to 0.01, not at `trainingEpsilon` 0.1: `warmupEpochs` (10) is more than its 1 epoch.',
      trialIds: ['e'],
    },
  ]);
});
