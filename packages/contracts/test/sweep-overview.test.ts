import { expect, test } from 'vitest';
import {
  objectiveOfBest,
  type StoredDefinition,
  SweepDefinition,
  storedDefinition,
  whyNoBest,
} from '../src/index.ts';

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

test('so it does with rungs and with constraints, which only say which configurations count', () => {
  const fidelity = { hyperparameter: 'optimiseEpochs', min: 1, max: 9 };
  const searches = [
    { strategy: 'hyperband', trials: 10, fidelity },
    { strategy: 'tpe', trials: 10, constraints: ['cleanAccuracy >= 0.9'] },
  ];
  for (const search of searches) {
    expect(objectiveOfBest(definition({ space, search }))).toMatchObject({ metric: 'robustAccuracy' });
    expect(whyNoBest(definition({ space, search }))).toBeNull();
  }
});

test('several objectives and a turned direction leave the best trial open', () => {
  const several = [{ metric: 'cleanAccuracy' }, { attack: 'pgd-linf', metric: 'robustAccuracy' }];
  const turned = { attack: 'pgd-linf', metric: 'robustAccuracy', direction: 'min' };
  expect(objectiveOfBest(definition({ objective: several }))).toBeNull();
  expect(whyNoBest(definition({ objective: several }))).toBe('several-objectives');
  expect(objectiveOfBest(definition({ objective: turned }))).toBeNull();
  expect(whyNoBest(definition({ objective: turned }))).toBe('turned-objective');
});
