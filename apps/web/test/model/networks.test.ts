import { type Recipe, recipeNames, recipes } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { networksOf, networkTitle, networkTitles } from '../../src/model/networks.ts';

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

it('names the defender only where the recipe has an attacker', () => {
  expect(networkTitle('funn', 'defender-encoder')).toBe('Defender’s encoder');
  expect(networkTitle('plain', 'defender-encoder')).toBe('Encoder');
  expect(networkTitle('classic', 'defender-generator')).toBe('Generator');
  expect(networkTitle('magnet', 'reformer')).toBe('Reformer: auto-encoder I');
});
