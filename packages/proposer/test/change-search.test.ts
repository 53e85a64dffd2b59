import { AppError } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { checkPoint, extendedDefinition } from '../src/change-search.ts';
import { definitionOf } from './support/simulated-search.ts';

const issuesOf = (act: () => unknown): readonly { readonly path: string; readonly expected: string }[] => {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.details.issues as { path: string; expected: string }[];
    throw error;
  }
  return [];
};

describe('more configurations', () => {
  it('change only the number of trials', () => {
    const definition = definitionOf({ search: { strategy: 'tpe', trials: 20 } });
    expect(extendedDefinition(definition, { configurations: 40, more: 10 })).toEqual({
      ...definition,
      search: { ...definition.search, trials: 50 },
    });
  });

  it('need no earlier sweeps, which may be gone', () => {
    const definition = definitionOf({ search: { strategy: 'tpe', trials: 20, from: ['gone'] } });
    expect(extendedDefinition(definition, { configurations: 20, more: 10 }).search).not.toHaveProperty(
      'from',
    );
  });

  it('are refused beyond the limit of the strategy', () => {
    const definition = definitionOf({ search: { strategy: 'gp', trials: 20 } });
    expect(extendedDefinition(definition, { configurations: 490, more: 10 }).search).toMatchObject({
      trials: 500,
    });
    expect(issuesOf(() => extendedDefinition(definition, { configurations: 490, more: 11 }))).toEqual([
      { path: 'trials', expected: 'at most 10 more trials, since gp has at most 500 in all', received: '11' },
    ]);
  });
});

describe('a point by hand', () => {
  const definition = definitionOf({
    search: { strategy: 'tpe', trials: 20 },
    recipes: ['funn', 'classic'],
    space: { gamma: [1, 5], initialiseDefenderRate: { min: 1e-4, max: 1e-2 }, batchSize: 64 },
  });

  it('gets the values that the space leaves no choice of', () => {
    expect(checkPoint(definition, { recipe: 'classic', initialiseDefenderRate: 1e-3 })).toEqual({
      recipe: 'classic',
      initialiseDefenderRate: 1e-3,
      batchSize: 64,
    });
  });

  it.each([
    ['point', { recipe: 'funn', initialiseDefenderRate: 1e-3 }],
    ['point.gamma', { recipe: 'classic', gamma: 5, initialiseDefenderRate: 1e-3 }],
    ['point.gamma', { recipe: 'funn', gamma: 2, initialiseDefenderRate: 1e-3 }],
    ['point.recipe', { recipe: 'magnet', initialiseDefenderRate: 1e-3 }],
    ['point.latent', { recipe: 'classic', initialiseDefenderRate: 1e-3, latent: 8 }],
  ])('is refused at %s', (path, point) => {
    expect(issuesOf(() => checkPoint(definition, point)).map((issue) => issue.path)).toEqual([path]);
  });
});
