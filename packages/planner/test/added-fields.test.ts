/** A field that a version after 0.1.0 adds must not change the identities of what was made before it (decision 18). */
import {
  attackNames,
  attackSpec,
  attacks,
  attackVersion,
  DatasetSpec,
  Hyperparameters,
  SweepDefinition,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chainId, configurationId, droppingAddedDefaults, presentVersions } from '../src/identity.ts';
import { outlineSweep } from '../src/index.ts';

describe('a field that says since', () => {
  const drop = droppingAddedDefaults(
    z.strictObject({
      gamma: z.number().default(5),
      kernel: z.int().default(3).meta({ since: '0.2.0' }),
      sizes: z.array(z.int()).default([1, 2]).meta({ since: '0.3.0' }),
    }),
  );

  it('stays out while it has its default', () => {
    expect(drop({ gamma: 5, kernel: 3, sizes: [1, 2] })).toEqual({ gamma: 5 });
  });

  it('counts with any other value', () => {
    expect(drop({ gamma: 5, kernel: 5, sizes: [1, 2] })).toEqual({ gamma: 5, kernel: 5 });
    expect(drop({ gamma: 5, kernel: 3, sizes: [2, 1] })).toEqual({ gamma: 5, sizes: [2, 1] });
  });

  it('is not needed: a stage that does not read it has no such field', () => {
    expect(drop({ gamma: 5 })).toEqual({ gamma: 5 });
  });
});

/** Name → default of every added field. A default that changes gives old identities another meaning: raise the version of the recipe or attack. */
const addedDefaults: Readonly<Record<string, unknown>> = {
  'bim.largestEpsilon': null,
  'bim-l2.largestEpsilon': null,
  'hyperparameters.architecture': 'convolutional',
  'hyperparameters.kernelSize': 3,
  'hyperparameters.activation': 'relu',
  'hyperparameters.codeActivation': 'linear',
  'hyperparameters.normalisation': 'none',
  'hyperparameters.paddedSize': 0,
  'hyperparameters.augmentFlip': 'none',
  'hyperparameters.augmentShift': 0,
  'hyperparameters.augmentCrop': 0,
};

it('added fields keep their defaults', () => {
  const schemas: readonly (readonly [string, z.ZodObject])[] = [
    ['hyperparameters', Hyperparameters],
    ['dataset', DatasetSpec],
    ...attackNames.map((name) => [name, attacks[name].settings] as const),
  ];
  const found = schemas.flatMap(([owner, schema]) =>
    Object.entries(schema.shape).flatMap(([name, field]) =>
      (field as z.ZodType).meta()?.since === undefined
        ? []
        : [[`${owner}.${name}`, (field as z.ZodType).parse(undefined)]],
    ),
  );
  expect(Object.fromEntries(found)).toEqual(addedDefaults);
});

/**
 * The chain of each attack with its default settings, as version 0.1.0 computes it. A new setting without `since` changes its line. Replace
 * a line only when you raise the version of that attack.
 */
const chains: Readonly<Record<string, string>> = {
  'deepfool-l2': '3cd3832a47f2db1b560cb05dcd0cdee45e998aa9bcab70b685f47dd9cd3d1513',
  'deepfool-linf': 'dabf93e718afd7c78c086a64a6dc8a2128822603110aaada82e13e347ae20bae',
  fgsm: '59a680758469c36b0b825d1a939ea4fc0825d2097d4798706cbc6ec03c955ac9',
  gradient: '82f413b0ed6d4a02d760d800eb6bc5cd9d751369efcbaa74ced26692ce415028',
  'iterative-gradient-sign': '98092ce3f0dd692010174bc088e14f996ac5d9f9c4ef8ae084284f29c92283e4',
  'iterative-gradient': '85c3fff01ae4bd1868ad17b6037732786bbc57377822ce296800f79c21df3b11',
  bim: 'c95659166032b54c05bdc78d54c5e3535263f3bf6ebf080f8b02967ebdf47ea8',
  'bim-l2': 'ed4eb26316a10d8814b259c3aed45754c40b776d28a4037927f0674a99d09e92',
  'single-pixel': '8090635718fc08b236f6909f3d164795368d3393faaffa9f136d57f690e8fb29',
  'local-search': '60dc4d22012b36024fc7ccc88431f371f90f34944be48c40b1e3d459ee7d3b8b',
  'pgd-linf': 'd84f292e621590029e861b9a39b3a35f2be30f65ec303909a4bb5555eb68e1b2',
  'pgd-l2': 'c37086e55edcae7b79c1f3e362b77dc00df88084741cc849e0cec01088e89f1f',
  'cw-l2': '9a029212878d7edfa8b9590fe611b75a885065f2b96b4c3eda0e9e870424c0ef',
  'apgd-ce-linf': '7e66004adcf58ccb20eea3a203da2eb6cb3c11e0e518ba7f0467d16984dd87a7',
  'apgd-ce-l2': '40b7553c0099cf736dac281ad2bcf7930224a82d9c5befd77423da5e4a2d1356',
  'apgd-t-linf': '578dda92c1ff563f605cdf2efdb0622d7a3e63d47b5d41b64c877ddf0409ab8e',
  'apgd-t-l2': '0ef0688b6d6430063d12f528cbb5cb8d2cf9a35843be7e46399a19d206268f3c',
  'fab-t-linf': 'f1cd485b375fe151f7569a3b2cb9157327670b81d49cf57ec43eb9b1d9f60678',
  'fab-t-l2': '4ef3989ab980a964463bff25b0b172b2f5eb2421b9d627068d766edc44de2a75',
  'square-linf': '7357bf107f76c5a8330be2bf6cedce71dcc0e37ebf543fa72b229cfe5cff7010',
  'square-l2': 'b97058485e7db40ff7450664449d8ee73d109e147414d7299b31f0fafce84419',
  'fmn-l2': '03898d6843936138da03694fc2fc1b66a3cafaba3d65f87e7024412bd526a937',
  'fmn-linf': '1a17746501386cddfc32d3887f5847ae624e8f56a7a94e0377aba89ac225e283',
  'hop-skip-jump-l2': '745fa4d73b5859262c26815725d7bb492e1a5483539259e56ec92aef1e0f885d',
  'feature-linf': '73368c3585851140813a2f64af0b9360fff4fa1e6b63216c05f91639d570d76f',
  'feature-l2': '477349d9fed580cb387c5206507f1a7424b8512cfa789e981af0460a8f35279d',
  'transfer-linf': '64db6f08df63fd8c986a5d9ff3eb2fc0e60f5017fa719223b6925aa3e96ede8f',
  'transfer-l2': 'bacfd8ce687beef95240374f1456254c32ab0d93d1a6cde6696cefbfc9a5d6cf',
  'noise-linf': 'ed6e5ba2b3cafa80c29610b8d33cb9e971607737cbb918b7fc71ad4d7cadf62e',
  'noise-l2': '86fbe1380a6031bc125d208c10b7c1223edba9730ad009ffe5561dc0df374287',
};

const chainOf = (name: (typeof attackNames)[number], images = 100): string => {
  const stage = {
    kind: 'attack',
    recipe: 'funn',
    hyperparameters: {},
    seed: 7,
    dataset: { name: 'glyphs', train: 1, test: 100, attack: images },
    parent: null,
    attack: attackSpec(name),
    surrogates: [],
  } as const;
  return chainId({ ...stage, surrogates: [] }, presentVersions(stage, '1'));
};

it('a diagnosis of fewer than five images has another identity than in version 0.1.0, and no other has', () => {
  expect(chainOf('fgsm', 5)).toBe('7bb2e1bfbc2e9b263c8dcd1190f48651edab0e291457b82ec3eec12545da3250');
  expect(chainOf('fgsm', 4)).not.toBe('8e602a718088636fa0628cf130b0d3bd33dc22ddcbd9899a93d8f402ad7b2fa4');
});

it('an attack with its default settings has the identity of version 0.1.0', () => {
  for (const [name, chain] of Object.entries(chains))
    expect({ [name]: chainOf(name as 'fgsm') }).toEqual({ [name]: chain });
});

it('a configuration with the default hyperparameters has the identity of version 0.1.0', () => {
  expect(configurationId({ recipe: 'classic', hyperparameters: Hyperparameters.parse({}), seed: 1 })).toBe(
    '262aad4d4aad0eca215b3ffab620b662e2cd9cee756ec2f0ae60cca1b0f79357',
  );
});

it('a search of BIM that now ends at the given ε has another identity than before; its other settings keep theirs', () => {
  const versionOf = (settings: object): number => attackVersion(attackSpec({ attack: 'bim', ...settings }));
  expect(versionOf({})).toBe(1);
  expect(versionOf({ search: false, epsilon: 0.1 })).toBe(1);
  expect(versionOf({ steps: 20 })).toBe(1);
  expect(versionOf({ epsilon: 0.1 })).toBe(2);
  expect(versionOf({ largestEpsilon: 0.3 })).toBe(2);
});

describe('an added hyperparameter in trials and stages', () => {
  const outlineOf = (space: object) =>
    outlineSweep(
      SweepDefinition.parse({
        name: 'added',
        recipes: 'classic',
        dataset: { name: 'glyphs', train: 100, test: 50, attack: 10 },
        space,
        attacks: ['fgsm'],
      }),
      '1',
    );

  it('is absent while the sweep does not name it, as in version 0.1.0', () => {
    const { trials, stages } = outlineOf({ latent: 32 });
    for (const { hyperparameters } of [...trials, ...stages])
      expect(hyperparameters).not.toHaveProperty('architecture');
  });

  it('is in every trial of a sweep that names it, and only in stages with another value than the default', () => {
    const { trials, stages } = outlineOf({ architecture: ['mlp', 'convolutional'] });
    expect(trials.map(({ hyperparameters }) => hyperparameters.architecture)).toEqual([
      'mlp',
      'convolutional',
    ]);
    const first = stages.filter(({ kind }) => kind === 'initialise');
    expect(first.map(({ hyperparameters }) => hyperparameters.architecture)).toEqual(['mlp', undefined]);
    expect(stages.map(({ id }) => id)).toEqual(
      expect.arrayContaining(outlineOf({}).stages.map(({ id }) => id)),
    );
    expect(outlineOf({ architecture: 'convolutional' }).trials[0]!.configuration).toBe(
      outlineOf({}).trials[0]!.configuration,
    );
  });
});
