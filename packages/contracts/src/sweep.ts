/** The sweep file, which a user writes as JSON or YAML. Strict: a misspelt key is an error and is never ignored. */
import { z } from 'zod';
import { AttackList, LoneAttack, PresetName } from './attacks/presets.ts';
import { DatasetChoice, SweepDataset, sweepDataset } from './dataset-spec.ts';
import { canonicalJson } from './json.ts';
import { fixedLimit } from './limits.ts';
import { Objective } from './objectives.ts';
import { RecipeName } from './recipes.ts';
import { evenAfterFaults, meantParts, rightParts, typedParts } from './right-parts.ts';
import { Search } from './search.ts';
import { SearchSpace } from './search-space.ts';
import { defaultRecipes, sweepFaults } from './sweep-faults.ts';

/** The planner refuses a sweep with more trials, before anything is written. */
export const maxTrials = fixedLimit('trials');

const Seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** The number of seeds (0, 1, …), or a list of seeds. */
const Seeds = z.union([
  z
    .int()
    .min(1)
    .max(10_000)
    .transform((count) => Array.from({ length: count }, (_, i) => i))
    .pipe(z.array(z.int())),
  z.array(Seed).min(1, 'Expected at least one seed, but got an empty list').max(10_000),
]);

const Recipes = z.union([
  RecipeName.transform((name) => [name]).pipe(z.array(RecipeName)),
  z.array(RecipeName).min(1, 'Expected at least one recipe, but got an empty list').max(10_000),
]);

const definition = z.strictObject({
  name: z.string().trim().min(1).max(200),
  description: z.string().max(10_000).default(''),
  recipes: Recipes.default(defaultRecipes).meta({
    title: 'Recipes',
    description:
      'One name or a list. A recipe ignores values of hyperparameters that it does not read: they add no trials of this recipe.',
  }),
  dataset: DatasetChoice,
  space: SearchSpace.default({}),
  search: Search.default({ strategy: 'grid' }),
  seeds: Seeds.default([0]).meta({
    title: 'Seeds',
    description: 'The number of seeds (0, 1, …), or a list of seeds.',
  }),
  attacks: z
    .union([AttackList, z.strictObject({ preset: PresetName }), LoneAttack])
    .default({ preset: 'quick' })
    .meta({
      title: 'Attacks',
      description: 'An attack or a list of attacks, each a name or { attack, …settings }, or a preset.',
    }),
  objective: z
    .union([Objective, z.array(Objective).min(1).max(4)])
    .optional()
    .meta({
      title: 'Objective',
      description:
        'The ranking of the trials, and what a search improves: one objective, or a list. Default: the worst case over the attacks, by robust accuracy if one of them has a fixed ε, otherwise by the median distance.',
    }),
  priority: z.int().min(0).max(99).default(50).meta({
    title: 'Priority',
    description: 'Sweeps with a higher priority run first. Sweeps of equal priority share the workers.',
  }),
  maxRunning: z.int().min(1).max(100_000).optional().meta({
    title: 'Running at once',
    description:
      'The maximum number of stages of this sweep that run at the same time. By default there is no limit.',
  }),
});

/**
 * A definition in the database. An older version may have accepted a definition that `SweepDefinition` refuses today. This schema accepts
 * it, so that the API can still show it.
 */
export const StoredDefinition = definition.extend({ dataset: SweepDataset }).meta({ id: 'SweepDefinition' });
export type StoredDefinition = z.output<typeof StoredDefinition>;

type Part = 'recipes' | 'space' | 'search' | 'attacks';

/** Whether the part has its default, as it has if nobody wrote it. */
const isDefault = (sweep: z.output<typeof definition>, part: Part): boolean =>
  canonicalJson(sweep[part]) === canonicalJson(definition.shape[part].parse(undefined));

export const SweepDefinition = definition
  .superRefine((sweep, context) => {
    const [isRight, isTyped] = [rightParts(context.issues), typedParts(context.issues)];
    const isMeant = meantParts(context.issues, Object.keys(definition.shape));
    const isSure = (part: Part) =>
      (part === 'attacks' ? isRight : isTyped)(part) && !(isMeant(part) && isDefault(sweep, part));
    for (const { path, ...fault } of sweepFaults(sweep, isTyped, isSure))
      context.addIssue({ code: 'custom', path: [...path], ...fault });
  }, evenAfterFaults)
  .meta({ id: 'SweepDefinition' });

/** A definition with all defaults filled in, apart from those that depend on a data set that is not built in. */
export type SweepDefinition = z.output<typeof SweepDefinition>;
/** A definition as a user may write it. */
export type SweepInput = z.input<typeof SweepDefinition>;

/** The definition as the database stores it. `content`: of its data set. Throws like `sweepDataset`. */
export const storedDefinition = (
  { dataset, ...definition }: SweepDefinition,
  content?: SweepDataset['content'],
): StoredDefinition => ({ ...definition, dataset: sweepDataset(dataset, content) });
