import type { LeaderboardRow } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { modelGroups } from '../../src/views/try-it/models.ts';

const row = (trialId: string, more: object): LeaderboardRow =>
  ({
    ...{ trialId, recipe: 'plain', dataset: 'glyphs', attack: 'pgd-linf', metric: 'robustAccuracy' },
    ...{ settings: { epsilon: 0.3 }, seeds: [0], hyperparameters: {}, verdict: 'ok', value: 0.5 },
    ...{ counts: { images: 40, correct: 30, fooled: 19 } },
    ...more,
  }) as unknown as LeaderboardRow;

it('groups models by data set, attack and ball, and says the verdict that places one below', () => {
  const groups = modelGroups([
    row('a', {}),
    row('b', { settings: { epsilon: 0.1 }, seeds: [0, 1] }),
    row('c', { dataset: 'shapes' }),
    row('d', {
      ...{ recipe: 'adversarial-training', verdict: 'too-few' },
      counts: { images: 40, correct: 18, fooled: 1 },
    }),
  ]);
  expect(groups).toEqual([
    {
      title: 'glyphs under PGD L∞, within L∞ 0.3',
      models: [
        { id: 'a', text: 'plain: 11 of 40 images robust, seed 0' },
        { id: 'd', text: 'adversarial-training: 17 of 40 images robust, seed 0; too few images' },
      ],
    },
    {
      title: 'glyphs under PGD L∞, within L∞ 0.1',
      models: [{ id: 'b', text: 'plain: 11 of 40 images robust, 2 seeds' }],
    },
    {
      title: 'shapes under PGD L∞, within L∞ 0.3',
      models: [{ id: 'c', text: 'plain: 11 of 40 images robust, seed 0' }],
    },
  ]);
});

it('names the hyperparameters in which the models differ', () => {
  const [group] = modelGroups([
    row('a', { hyperparameters: { gamma: 5, beta: 0.1 } }),
    row('b', { hyperparameters: { gamma: 1, beta: 0.1 }, verdict: 'masked' }),
  ]);
  expect(group!.models.map(({ text }) => text)).toEqual([
    'plain, γ 5: 11 of 40 images robust, seed 0',
    'plain, γ 1: 11 of 40 images robust, seed 0; masked gradients',
  ]);
});
