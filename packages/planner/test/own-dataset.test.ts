/** Identities, needs and costs of sweeps on a data set that is not built in. */
import { createHash } from 'node:crypto';
import {
  canonicalJson,
  defaultLimits,
  recipes,
  type SweepContent,
  SweepDefinition,
  type SweepInput,
  storedDefinition,
} from '@funnel/contracts';
import { expect, it } from 'vitest';
import { estimate, outlineSweep } from '../src/index.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const content: SweepContent = {
  digest: 'ab'.repeat(32),
  shape: [32, 32, 3],
  classes: ['cat', 'dog', 'bird'],
  train: 700,
  test: 300,
  budgets: { linf: 0.02, l2: 0.4 },
};

const define = (input: Partial<SweepInput> = {}, of = content) =>
  storedDefinition(
    SweepDefinition.parse({
      name: 'test',
      dataset: { name: 'pets' },
      attacks: { preset: 'autoattack' },
      ...input,
    }),
    of,
  );
const stagesOf = (...given: Parameters<typeof define>) => outlineSweep(define(...given), '1').stages;
const idsOf = (...given: Parameters<typeof define>) => stagesOf(...given).map(({ id }) => id);

it('the name is no part of an identity; digest, counts and usual ε are', () => {
  expect(idsOf({ dataset: { name: 'animals' } })).toEqual(idsOf());
  expect(idsOf({}, { ...content, classes: ['a', 'b', 'c'] })).toEqual(idsOf());
  const others = [
    idsOf({}, { ...content, digest: 'cd'.repeat(32) }),
    idsOf({ dataset: { name: 'pets', train: 699 } }),
    idsOf({}, { ...content, budgets: { linf: 0.03, l2: 0.4 } }),
  ];
  for (const ids of others) expect(ids).not.toEqual(idsOf());
});

it('the first chain is the hash of what the definition says', () => {
  const [first] = stagesOf();
  const { kind, recipe, hyperparameters, seed } = first!;
  const dataset = {
    digest: content.digest,
    budgets: content.budgets,
    train: 700,
    test: 1,
    attack: 1,
  };
  expect(first!.chain).toBe(
    sha256(
      canonicalJson({
        attack: null,
        dataset,
        engine: '1',
        hyperparameters,
        kind,
        parent: null,
        recipe,
        seed,
        version: recipes[recipe].version,
      }),
    ),
  );
});

it('presets take the usual ε of the data set', () => {
  const epsilons = stagesOf().flatMap(({ attack }) => (attack ? [attack.settings.epsilon] : []));
  expect(epsilons).toEqual([0.02, 0.02, 0.02, 0.02]);
});

it('a worker needs the data set by its digest', () => {
  for (const { need } of stagesOf())
    expect(need).toMatchObject({ dataset: 'pets', digest: content.digest, images: 1 });
});

it('the costs follow from shape and classes', () => {
  const costs = (of: SweepContent) => {
    const definition = define({}, of);
    return estimate(definition, outlineSweep(definition, '1'), defaultLimits);
  };
  const { parameters } = costs(content);
  // One more class: 64 weights and a bias of the last layer; the classifier is not the largest network of funn.
  expect(costs({ ...content, classes: ['a', 'b', 'c', 'd'] }).parameters).toBe(parameters);
  expect(costs({ ...content, shape: [32, 32, 4] }).parameters).toBeGreaterThan(parameters);
  expect(costs({ ...content, shape: [64, 64, 3] }).trainerBytes).toBeGreaterThan(costs(content).trainerBytes);
});
