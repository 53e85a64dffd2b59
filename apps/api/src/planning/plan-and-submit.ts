/** How much work a definition is, in closed form: no trial, value or attack is made to find out. */

import { createHash } from 'node:crypto';
import {
  AppError,
  canonicalJson,
  type Dimension,
  expandAttacks,
  isRange,
  type Plan,
  PresetName,
  presetAttacks,
  type Recipe,
  recipes,
  type SweepDefinition,
} from '@funnel/contracts';
import { type Db, knownChains, type Submitted, submitSweep } from '@funnel/db';
import { buildPlan, countTrials, type Outline, outlineSweep } from '@funnel/planner';

/** Values of one hyperparameter, equal ones included; a continuous range counts as one. */
const valuesOf = (dimension: Dimension): number => {
  if (Array.isArray(dimension)) return dimension.length;
  if (!isRange(dimension)) return 1;
  const { min, max, step, count } = dimension;
  if (min === max) return 1;
  return count ?? (step === undefined ? 1 : Math.floor((max - min) / step) + 1);
};

/** Attacks at most: equal ones are not looked for. */
const attacksOf = ({ attacks, dataset }: SweepDefinition): number => {
  if ('preset' in attacks) return presetAttacks(attacks.preset, dataset.name).length;
  return attacks.reduce((sum, entry) => {
    if ('settings' in entry) return sum + 1;
    return sum + presetAttacks(PresetName.parse(entry.attack.slice('preset:'.length)), dataset.name).length;
  }, 0);
};

type Factor = { readonly path: string; readonly values: number };

/** All that trials and stages are multiplied by. */
const factorsOf = (definition: SweepDefinition): readonly Factor[] => {
  const { space, search, seeds, recipes } = definition;
  const hyperparameters = Object.entries(space as Readonly<Record<string, Dimension>>);
  return [
    ...hyperparameters.map(([hyperparameter, dimension]) => ({
      path: `space.${hyperparameter}`,
      values: valuesOf(dimension),
    })),
    ...(search.strategy === 'random' ? [{ path: 'search.trials', values: search.trials }] : []),
    { path: 'seeds', values: seeds.length },
    { path: 'recipes', values: recipes.length },
    { path: 'attacks', values: attacksOf(definition) },
  ];
};

/** The largest of them: what to make smaller. */
export const largestFactor = (definition: SweepDefinition): Factor =>
  factorsOf(definition).reduce((largest, factor) => (factor.values > largest.values ? factor : largest));

/** Numbers in the settings of attacks, which may be lists. */
const settingsOf = ({ attacks }: SweepDefinition): number => {
  if ('preset' in attacks) return 0;
  const settings = attacks.flatMap((entry) => ('settings' in entry ? Object.values(entry.settings) : []));
  return settings.reduce<number>((sum, value) => sum + (Array.isArray(value) ? value.length : 1), 0);
};

/** Values that a random search draws, unless it draws some again. */
const drawsOf = ({ search, space }: SweepDefinition): number =>
  search.strategy === 'random' ? search.trials * Object.keys(space).length : 0;

/** What a definition is made of: values written, points of ranges, draws and settings. */
const countValues = (definition: SweepDefinition): number =>
  factorsOf(definition).reduce(
    (sum, { values }) => sum + values,
    settingsOf(definition) + drawsOf(definition),
  );

/** Up to these a sweep is planned on the event loop: some 20 ms. */
const few = { values: 1000, stages: 2000 };
/** Up to these it is planned in a second or so: what takes longer must not stand before it. */
const some = { values: 20_000, stages: 20_000 };

export type Size = 'small' | 'medium' | 'large';

/** Throws SWEEP_TOO_LARGE for more trials than any sweep may have, and what else the planner finds while it counts. */
export const sizeOf = (definition: SweepDefinition): Size => {
  const values = countValues(definition);
  if (values > some.values) return 'large'; // counting trials may look at every value once
  const counted = { ...definition, recipes: [...new Set(definition.recipes)] };
  const stages = countTrials(counted) * (longestLine(counted) + attacksOf(definition));
  if (values <= few.values && stages <= few.stages) return 'small';
  return stages <= some.stages ? 'medium' : 'large';
};

/** From a definition to what it needs: counted before it is expanded, expanded before anything is written. */

/** Stages that one sweep may point at: a hundred thousand trials with ten attacks each. */
export const maxStages = 1_000_000;

const countAttacks = ({ attacks, dataset }: SweepDefinition): number =>
  expandAttacks(attacks, { dataset: dataset.name }).length;

/** Training stages of the longest recipe. */
export const longestLine = ({ recipes: names }: SweepDefinition): number =>
  Math.max(...names.map((name) => (recipes[name] as Recipe).stages.length));

/** Stages at most, were none shared, without making a single trial. Throws SWEEP_TOO_LARGE. */
export const countStages = (definition: SweepDefinition): number => {
  const trials = countTrials(definition);
  const attacks = countAttacks(definition);
  const line = longestLine(definition);
  const stages = trials * (line + attacks);
  if (stages > maxStages)
    throw new AppError(
      'SWEEP_TOO_LARGE',
      `Expected at most ${maxStages} stages, but ${trials} trials with ${attacks} attacks each would need up to ${stages}`,
      {
        stages,
        limit: maxStages,
        issues: [
          {
            path: 'attacks',
            expected: `at most ${Math.floor(maxStages / trials) - line} for ${trials} trials`,
            received: String(attacks),
          },
        ],
      },
    );
  return stages;
};

/** Errors: SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
export const outlineChecked = (definition: SweepDefinition, engineVersion: string): Outline => {
  countStages(definition);
  return outlineSweep(definition, engineVersion);
};

/** Planning and submitting with a database at hand: the same on the event loop and off it. */

export type PlanRequest = { readonly definition: SweepDefinition; readonly engineVersion: string };
/** `idempotencyKey`: what the same request can be sent again under. */
export type SubmitRequest = PlanRequest & { readonly idempotencyKey?: string };

export type Planning = {
  /** Errors: SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
  readonly plan: (request: PlanRequest) => Promise<Plan>;
  /** Errors: those, and IDEMPOTENCY_CONFLICT. */
  readonly submit: (request: SubmitRequest) => Promise<Submitted>;
};

/** Of the definition with its defaults filled in: JSON and YAML that say the same are the same body. */
const hashBody = (definition: SweepDefinition): string =>
  createHash('sha256').update(canonicalJson(definition)).digest('hex');

/** `time` runs what a definition alone can make long: expanding and hashing. */
export const planningWith = (db: Db, time = <T>(work: () => T): T => work()): Planning => ({
  plan: async ({ definition, engineVersion }) => {
    const outline = time(() => outlineChecked(definition, engineVersion));
    return buildPlan(outline, await knownChains(db, outline.stages)).plan;
  },
  submit: async ({ definition, engineVersion, idempotencyKey: key }) => {
    const outline = time(() => outlineChecked(definition, engineVersion));
    return submitSweep(db, {
      definition,
      stages: outline.stages,
      buildPlan: (known) => buildPlan(outline, known),
      ...(key !== undefined && { idempotency: { key, bodyHash: hashBody(definition) } }),
    });
  },
});
