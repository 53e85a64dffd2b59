import { type Recipe, recipeNames, recipes } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { networksOf, networkTitles } from '../../src/model/networks.ts';

it('lists the networks of every stage of every recipe, each with a title', () => {
  for (const recipe of recipeNames) {
    const stages: Recipe['stages'] = recipes[recipe].stages;
    for (const { kind, networks } of stages) {
      expect(networksOf({ recipe, kind })).toEqual(networks);
      for (const name of networks) expect(networkTitles).toHaveProperty([name]);
    }
    expect(networksOf({ recipe, kind: 'attack' })).toEqual([]);
  }
});
