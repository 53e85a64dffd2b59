import { SweepDefinition, type SweepInput } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { doubtsAbout } from '../src/doubts.ts';
import { outlineSweep } from '../src/outline.ts';

const doubts = (changes: Partial<SweepInput>): readonly string[] => {
  const definition = SweepDefinition.parse({
    name: 'doubts',
    dataset: { name: 'glyphs-colour', train: 100, test: 50, attack: 10 },
    attacks: ['fmn-l2'],
    ...changes,
  });
  return doubtsAbout(definition, outlineSweep(definition, '1'));
};

it('a ball far beyond the usual one of the data set is named once, with all attacks', () => {
  expect(doubts({ attacks: ['pgd-linf', { attack: 'bim', search: false, epsilon: 0.2 }, 'fmn-l2'] })).toEqual(
    [
      'ε 0.3 of pgd-linf, bim is 9.56 times the usual ε of glyphs-colour (L∞ 0.0314): nearly every image of every model will be fooled. Set `epsilon`.',
    ],
  );
  expect(doubts({ attacks: [{ attack: 'pgd-linf', epsilon: 0.09 }] })).toEqual([]);
  expect(doubts({ attacks: ['pgd-linf'], dataset: { name: 'fashion-mnist', train: 100 } })).toEqual([
    'ε 0.3 of pgd-linf is 3 times the usual ε of fashion-mnist (L∞ 0.1): nearly every image of every model will be fooled. Set `epsilon`.',
  ]);
  expect(doubts({ attacks: ['pgd-linf'], dataset: { name: 'glyphs', train: 100 } })).toEqual([]);
  expect(doubts({ attacks: 'preset:autoattack' })).toEqual([]);
});

it('training with such a ball is named for the recipes that read it', () => {
  const space = { warmupEpochs: 0, trainingEpsilon: [0.03, 0.3] };
  expect(doubts({ recipes: 'trades', space })).toEqual([
    'trainingEpsilon 0.3 is 9.56 times the usual ε of glyphs-colour (L∞ 0.0314): such training may learn nothing. Set `trainingEpsilon`.',
  ]);
  expect(
    doubts({
      recipes: 'trades',
      space: { ...space, trainingEpsilon: { min: 0, max: 0.3 } },
      search: { strategy: 'random', trials: 3 },
    }),
  ).toHaveLength(1);
  expect(doubts({ recipes: 'plain' })).toEqual([]);
});

it('a warm-up that outlasts the training is named', () => {
  const space = { trainingEpsilon: 0.03, warmupEpochs: 8, classifierEpochs: [8, 9] };
  expect(doubts({ recipes: 'adversarial-training', space })).toEqual([
    'The ε of adversarial-training grows over 8 epochs (`warmupEpochs`), but the training may have 8: then it never trains at its full `trainingEpsilon`.',
  ]);
  expect(doubts({ recipes: 'adversarial-training', space: { ...space, classifierEpochs: 9 } })).toEqual([]);
  expect(doubts({ recipes: 'adversarial-training', space: { ...space, trainingEpsilon: 0 } })).toEqual([]);
});
