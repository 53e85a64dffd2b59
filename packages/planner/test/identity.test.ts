/** A second implementation of identities, straight from their definition. */
import { createHash } from 'node:crypto';
import {
  type AttackRun,
  attacks,
  canonicalJson,
  datasets,
  diagnosisVersion,
  recipes,
  type StageSpec,
  SweepDefinition,
} from '@funnel/contracts';
import { expect, it } from 'vitest';
import { outlineSweep } from '../src/index.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const engine = 'test-1';
const { stages } = outlineSweep(
  SweepDefinition.parse({
    name: 'test',
    recipes: ['classic', 'funn'],
    dataset: { name: 'glyphs' },
    seeds: 2,
    attacks: ['fgsm', { attack: 'deepfool-l2', steps: 50 }, 'transfer-linf'],
  }),
  engine,
);

const attackOf = ({ attack, settings }: AttackRun) => ({
  attack,
  settings,
  version: attacks[attack].version,
  diagnosis: diagnosisVersion,
});

const chainOf = ({ id, chain, epochs, ...stage }: StageSpec): string =>
  sha256(
    canonicalJson({
      kind: stage.kind,
      recipe: stage.recipe,
      version: recipes[stage.recipe].version,
      engine,
      hyperparameters: stage.hyperparameters,
      seed: stage.seed,
      dataset: { ...stage.dataset, digest: datasets.glyphs.digest },
      parent: stage.parent,
      attack: stage.attack && attackOf(stage.attack),
      ...(stage.surrogates.length > 0 && { surrogates: stage.surrogates }),
    }),
  );

it('the identity of a stage is the hash of everything that its result depends on; for an attack this includes the checks', () => {
  const kinds = new Set(stages.map(({ kind }) => kind));
  expect(kinds).toEqual(new Set(['initialise', 'optimise', 'classify', 'attack']));
  expect(stages.map(({ chain }) => chain)).toEqual(stages.map(chainOf));
  for (const { id, chain, epochs } of stages) expect(id).toBe(sha256(canonicalJson({ chain, epochs })));
});
