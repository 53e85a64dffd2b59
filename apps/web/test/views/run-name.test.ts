import { expect, it } from 'vitest';
import { differing, nameOf } from '../../src/views/leaderboard/run-name.ts';

const run = (recipe: 'funn' | 'adversarial-training', hyperparameters: Record<string, number | string>) => ({
  recipe,
  hyperparameters,
});

it('names the values in which runs differ, and of long names first what tells runs of one recipe apart', () => {
  const runs = [
    run('funn', { gamma: 5, classifierRate: 0.001, classifierEpochs: 20, latent: 32 }),
    run('adversarial-training', { classifierRate: 0.01, classifierEpochs: 8, latent: 32 }),
    run('adversarial-training', { classifierRate: 0.01, classifierEpochs: 40, latent: 32 }),
  ];
  const names = differing(runs);
  expect(names).toEqual(['classifierEpochs', 'classifierRate']);
  expect(runs.map((each) => nameOf(each, names))).toEqual([
    'funn: Classifier epochs 20, Classifier rate 0.001',
    'adversarial-training: Classifier epochs 8, Classifier rate 0.01',
    'adversarial-training: Classifier epochs 40, Classifier rate 0.01',
  ]);
});

it('is the recipe alone if nothing differs', () => {
  const runs = [run('funn', { gamma: 5 }), run('funn', { gamma: 5 })];
  expect(nameOf(runs[0]!, differing(runs))).toBe('funn');
});
