import { expect, test } from 'vitest';
import { objectiveOfBest, type StoredDefinition, SweepDefinition, storedDefinition } from '../src/index.ts';

const definition = (more: object): StoredDefinition =>
  storedDefinition(
    SweepDefinition.parse({
      ...{ name: 'test', dataset: { name: 'glyphs' }, attacks: [{ attack: 'pgd-linf', epsilon: 0.1 }] },
      ...more,
    }),
  );
const space = { gamma: { min: 1, max: 10, scale: 'log' } };

test('one objective in its usual direction decides the best trial', () => {
  expect(objectiveOfBest(definition({}))).toMatchObject({
    ...{ run: { attack: 'pgd-linf' }, metric: 'robustAccuracy', direction: 'max' },
  });
  expect(objectiveOfBest(definition({ search: { strategy: 'tpe', trials: 10 }, space }))).toMatchObject({
    metric: 'robustAccuracy',
  });
});

test('rungs, constraints, several objectives and a turned direction leave the best trial open', () => {
  const search = { strategy: 'tpe', trials: 10 };
  const fidelity = { hyperparameter: 'optimiseEpochs', min: 1, max: 9 };
  const objective = [{ metric: 'cleanAccuracy' }, { attack: 'pgd-linf', metric: 'robustAccuracy' }];
  const open = [
    { space, search: { strategy: 'hyperband', trials: 10, fidelity } },
    { space, search: { ...search, constraints: ['cleanAccuracy >= 0.9'] } },
    { objective },
    { objective: { attack: 'pgd-linf', metric: 'robustAccuracy', direction: 'min' } },
  ];
  expect(open.map((more) => objectiveOfBest(definition(more)))).toEqual([null, null, null, null]);
});
