import { defaultHyperparameters, hyperparameterNames, recipeNames, SweepDefinition } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { axesOf, pointAt } from '../src/space.ts';
import { spaceOf } from '../src/sweep-space.ts';

const sweep = (input: object): SweepDefinition =>
  SweepDefinition.parse({ name: 'test', dataset: { name: 'glyphs' }, attacks: ['fgsm'], ...input });

it('has the hyperparameters of one recipe, in the order of their declaration, whole numbers as such', () => {
  const space = {
    gamma: { min: 0.1, max: 10, scale: 'log' },
    optimiseEpochs: { min: 1, max: 3 },
    lossScale: ['mse', 'norm'],
  };
  const axes = axesOf(spaceOf(sweep({ recipes: 'funn', space })));
  expect(axes.map(({ name, kind, size }) => [name, kind, size])).toEqual([
    ['lossScale', 'categories', 2],
    ['optimiseEpochs', 'ordered', 3],
    ['gamma', 'ordered', Number.POSITIVE_INFINITY],
  ]);
});

it('of several recipes has the recipe, and reads a hyperparameter only where its recipe does', () => {
  const axes = axesOf(
    spaceOf(sweep({ recipes: ['funn', 'classic'], space: { gamma: [1, 5], latent: [16, 32] } })),
  );
  expect(pointAt(axes, [0, 0, 0])).toEqual({ recipe: 'funn', gamma: 1, latent: 16 });
  expect(pointAt(axes, [1, 0, 0])).toEqual({ recipe: 'classic', latent: 16 });
});

it('has no more axes than a space may have, if a sweep varies every hyperparameter', () => {
  const space = Object.fromEntries(hyperparameterNames.map((name) => [name, defaultHyperparameters[name]]));
  const variables = spaceOf(sweep({ recipes: recipeNames, space }));
  expect(variables).toHaveLength(hyperparameterNames.length + 1);
  expect(axesOf(variables)).toHaveLength(variables.length);
});
