import { SweepDefinition } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  pointTexts,
  readVariables,
  searchedPart,
  typedPoint,
  variablesOf,
} from '../../src/views/search/variables.ts';

const definition = SweepDefinition.parse({
  name: 'x',
  dataset: { name: 'glyphs' },
  recipes: ['funn', 'classic'],
  space: {
    gamma: { min: 0.1, max: 10, scale: 'log' },
    beta: { min: 0.01, max: 0.1, count: 4 },
    lossScale: ['mse', 'norm'],
    latent: 64,
    noise: { min: 16, max: 16 },
  },
});
const variables = variablesOf(definition);

describe('the fields of a point', () => {
  it('are the hyperparameters that vary, and the recipe', () => {
    expect(variables.map(({ name, choices, range }) => [name, choices, range])).toEqual([
      ['recipe', ['funn', 'classic'], ''],
      ['lossScale', ['mse', 'norm'], ''],
      ['gamma', null, '0.1 to 10'],
      ['beta', null, '0.01 to 0.1, 4 values'],
    ]);
  });

  it('are those that the chosen recipe reads', () => {
    const names = (recipe: string) => readVariables(variables, { recipe }).map(({ name }) => name);
    expect(names('funn')).toEqual(['recipe', 'lossScale', 'gamma', 'beta']);
    expect(names('classic')).toEqual(['recipe', 'lossScale']);
  });

  it('have no recipe in a sweep of one recipe', () => {
    const one = variablesOf({ ...definition, recipes: ['funn'] });
    expect(readVariables(one, {}).map(({ name }) => name)).toEqual(['lossScale', 'gamma', 'beta']);
  });

  it('leave out the values that all points have', () => {
    const point = { recipe: 'funn', latent: 64, noise: 16, beta: 0.02, gamma: 1, lossScale: 'mse' };
    expect(Object.entries(searchedPart(variables, point))).toEqual([
      ['recipe', 'funn'],
      ['lossScale', 'mse'],
      ['gamma', 1],
      ['beta', 0.02],
    ]);
    expect(
      searchedPart(variablesOf({ ...definition, recipes: ['funn'] }), { beta: 0.02, latent: 64 }),
    ).toEqual({
      beta: 0.02,
    });
  });

  it('give the point that a user typed, with numbers where the hyperparameter has numbers', () => {
    const point = { recipe: 'funn', gamma: 5, beta: 0.04, lossScale: 'norm' };
    const texts = pointTexts(variables, point);
    expect(texts).toEqual({ recipe: 'funn', gamma: '5', beta: '0.04', lossScale: 'norm' });
    expect(typedPoint(variables, texts)).toEqual(point);
    expect(typedPoint(variables, { ...texts, recipe: 'classic' })).toEqual({
      recipe: 'classic',
      lossScale: 'norm',
    });
    expect(typedPoint(variables, { ...texts, gamma: 'five' }).gamma).toBe('five');
  });

  it('start with the first choice where a point has no value', () => {
    expect(pointTexts(variables, {})).toEqual({ recipe: 'funn', gamma: '', beta: '', lossScale: 'mse' });
  });
});
