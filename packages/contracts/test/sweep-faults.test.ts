/** One round of corrections: a refusal has the faults of names, types, sizes and rules together, and none that follows from another one. */
import { expect, it } from 'vitest';
import { SweepDefinition } from '../src/index.ts';

const base = { name: 'test', dataset: { name: 'glyphs' } };

/** `path` or `path: unknown key`, sorted. */
const refuse = (input: object): string[] => {
  const { error } = SweepDefinition.safeParse({ ...base, ...input });
  return (error?.issues ?? [])
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, `${key}: unknown key`].join('.'))
        : issue.path.join('.'),
    )
    .sort();
};

it('says what is wrong with names, types, sizes and rules at once', () => {
  expect(
    refuse({
      name: 'two\nlines',
      priorty: 3,
      seeds: 0.5,
      recipes: ['funn'],
      dataset: { name: 'mnist', train: 'many', tets: 5, attack: 20_000 },
      space: {
        gama: 1,
        gamma: { min: 5, max: 1 },
        latent: { min: 1.5, max: 3 },
        beta: 'much',
        tradesBeta: 6,
      },
      attacks: ['fgsm', { attack: 'pgd-linf', epsilon: 8 }, { attack: 'cw-l2', stps: 1 }],
    }),
  ).toEqual(
    [
      'attacks.1',
      'attacks.2.settings.stps: unknown key',
      'dataset.attack',
      'dataset.tets: unknown key',
      'dataset.train',
      'name',
      'priorty: unknown key',
      'seeds',
      'space.beta',
      'space.gama: unknown key',
      'space.gamma.max',
      'space.latent.min',
      'space.tradesBeta',
    ].sort(),
  );
});

it('an end out of bounds is said beside the order of the ends, and a search beside both', () => {
  const search = { strategy: 'tpe', trials: 10 };
  expect(
    refuse({ space: { gamma: { min: 1e9, max: 1 } }, search, attacks: ['transfer-linf'], priorty: 3 }),
  ).toEqual(['attacks', 'priorty: unknown key', 'space.gamma.max', 'space.gamma.min']);
});

it('an objective and a search are checked beside faults that do not concern them', () => {
  const objective = { attack: 'pgd-linf', metric: 'medianL2' };
  expect(refuse({ attacks: ['fgsm'], objective, seeds: 'x', priorty: 3 })).toEqual([
    'objective.attack',
    'priorty: unknown key',
    'seeds',
  ]);
  const search = { strategy: 'tpe', trials: 10 };
  expect(refuse({ space: { gamma: 1 }, search, attacks: ['fgsm'], description: 5 })).toEqual([
    'description',
    'space',
  ]);
});

it.each([
  [
    'a misspelt key may be the recipes',
    { recipe: 'trades', space: { tradesBeta: 6 } },
    'recipe: unknown key',
  ],
  [
    'a misspelt key may be the attacks',
    { atacks: ['pgd-linf'], objective: { attack: 'cw-l2', metric: 'medianL2' } },
    'atacks: unknown key',
  ],
  [
    'a key of other words may be the recipes',
    { methods: 'trades', space: { tradesBeta: 6 } },
    'methods: unknown key',
  ],
  ['a misspelt recipe', { recipes: ['funn', 'trade'], space: { tradesBeta: 6 } }, 'recipes'],
  [
    'a misspelt hyperparameter may have the values of a search',
    { space: { gama: [1, 2] }, search: { strategy: 'tpe', trials: 10 } },
    'space.gama: unknown key',
  ],
  [
    'a misspelt key may be the space',
    { spaec: { gamma: [1, 2] }, search: { strategy: 'tpe', trials: 10 } },
    'spaec: unknown key',
  ],
  ['a misspelt name of a data set', { dataset: { nmae: 'mnist', train: 1e6 } }, 'dataset'],
  ['attacks of the wrong type', { attacks: 5, objective: { attack: 'fgsm', metric: 'medianL2' } }, 'attacks'],
  ['a space of the wrong type', { space: 'gamma' }, 'space'],
  ['an end of the wrong type', { space: { gamma: { min: 'a', max: 1 } } }, 'space.gamma'],
])('%s: no fault follows from this one', (_, input, path) => {
  const found = refuse(input);
  expect(found.every((each) => each.startsWith(path.split('.')[0]!))).toBe(true);
  expect(found.some((each) => each.startsWith(path))).toBe(true);
});
