/** The sweep file, which a user writes as JSON or YAML. Strict: a misspelt key is an error and is never ignored. */
import { z } from 'zod';
import { AttackList, entryFault, LoneAttack, PresetName } from './attacks/presets.ts';
import { DatasetChoice, SweepDataset, sweepDataset } from './dataset-spec.ts';
import { didYouMean, joinWithOr } from './did-you-mean.ts';
import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from './hyperparameters.ts';
import { fixedLimit } from './limits.ts';
import { Objective } from './objectives.ts';
import { objectiveFaults } from './ranking.ts';
import { hyperparametersOf, RecipeName } from './recipes.ts';
import { isDecided, Search } from './search.ts';
import { searchFaults } from './search-faults.ts';
import { type Dimension, isRange, rangeFaults, SearchSpace } from './search-space.ts';
import { linesFault, nameFault } from './text.ts';

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

const defaultRecipes: RecipeName[] = ['funn'];

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

type Issue = { readonly path: readonly string[]; readonly message: string; readonly input: unknown };

/** The hyperparameters that these recipes read, as a user wrote the recipes; all hyperparameters if none of them is a recipe. */
export const hyperparametersReadBy = (written: unknown = defaultRecipes): readonly HyperparameterName[] => {
  const recipes = [written].flat().filter((name) => RecipeName.safeParse(name).success) as RecipeName[];
  return recipes.length === 0 ? hyperparameterNames : [...new Set(recipes.flatMap(hyperparametersOf))];
};

const hyperparameterIssues = (
  name: HyperparameterName,
  dimension: Dimension,
  recipes: readonly RecipeName[],
): readonly Issue[] => {
  const path = ['space', name];
  const read = hyperparametersReadBy(recipes);
  if (!read.includes(name)) {
    const question = didYouMean(name, read);
    const message = `Expected a hyperparameter that ${joinWithOr(recipes)} reads, but got the key "${name}"${question ? `. ${question}` : ''}`;
    return [{ path, message, input: name }];
  }
  const hyperparameter = hyperparameterDeclaration(name);
  if (!isNumeric(hyperparameter) || !isRange(dimension)) return [];
  return rangeFaults(hyperparameter, dimension).map(({ path: key, expected }) => ({
    path: [...path, key],
    message: `Expected ${expected}, but got ${dimension[key]}`,
    input: dimension[key],
  }));
};

export const SweepDefinition = definition
  .superRefine(({ name, description, recipes, space, search, attacks, dataset, objective }, context) => {
    const texts = {
      name: [name, nameFault(name)],
      description: [description, linesFault(description)],
    } as const;
    for (const [key, [input, message]] of Object.entries(texts))
      if (message !== null) context.addIssue({ code: 'custom', path: [key], input, message });
    const entries = 'preset' in attacks ? [] : attacks;
    const entryFaults = entries.map((entry) => entryFault(entry));
    for (const [at, message] of entryFaults.entries())
      if (message !== null)
        context.addIssue({ code: 'custom', path: ['attacks', at], input: entries[at], message });
    // Zod checks the whole definition also when settings of an attack have faults. Only a list without faults says which metrics there are.
    const isListRight =
      entryFaults.every((message) => message === null) && AttackList.safeParse(entries).success;
    const faults =
      objective && ('preset' in attacks || isListRight)
        ? objectiveFaults({ attacks, dataset, objective })
        : [];
    for (const { path, message, input } of faults)
      context.addIssue({ code: 'custom', path: [...path], input, message });
    const recipeNames = [...new Set(recipes)];
    for (const [hyperparameter, dimension] of Object.entries(space) as [HyperparameterName, Dimension][])
      for (const { path, ...issue } of hyperparameterIssues(hyperparameter, dimension, recipeNames))
        context.addIssue({ code: 'custom', path: [...path], ...issue });
    if (isDecided(search) && ('preset' in attacks || isListRight))
      for (const { path, message, input } of searchFaults({
        recipes: recipeNames,
        space,
        search,
        attacks,
        dataset,
      }))
        context.addIssue({ code: 'custom', path: [...path], input, message });
  })
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
