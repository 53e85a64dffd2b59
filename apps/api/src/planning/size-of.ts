/**
 * The work of planning a sweep, in closed form from the definition, without making any trial, value or attack. From it, planning.ts decides
 * whether to plan on the event loop or in a planning process.
 */
import {
  AppError,
  attacksOf,
  budgetsOfChoice,
  type Dimension,
  expandAttacks,
  fixedLimit,
  isRange,
  presetAttacks,
  type Recipe,
  recipes,
  type SweepDefinition,
} from '@funnel/contracts';
import { countTrials } from '@funnel/planner';

/** The number of values of one hyperparameter, with duplicates. A continuous range counts as one. */
const valuesOf = (dimension: Dimension): number => {
  if (Array.isArray(dimension)) return dimension.length;
  if (!isRange(dimension)) return 1;
  const { min, max, step, count } = dimension;
  if (min === max) return 1;
  return count ?? (step === undefined ? 1 : Math.floor((max - min) / step) + 1);
};

/** The number of attacks, with duplicates. */
const countListedAttacks = ({ attacks }: SweepDefinition): number => {
  if ('preset' in attacks) return presetAttacks(attacks.preset).length;
  return attacks.reduce((sum, entry) => sum + attacksOf(entry).length, 0);
};

type Factor = { readonly path: string; readonly values: number };

/** The number of values of each part of the definition. */
const factorsOf = (definition: SweepDefinition): readonly Factor[] => {
  const { space, seeds, recipes } = definition;
  const hyperparameters = Object.entries(space as Readonly<Record<string, Dimension>>);
  return [
    ...hyperparameters.map(([hyperparameter, dimension]) => ({
      path: `space.${hyperparameter}`,
      values: valuesOf(dimension),
    })),
    { path: 'seeds', values: seeds.length },
    { path: 'recipes', values: recipes.length },
    { path: 'attacks', values: countListedAttacks(definition) },
  ];
};

/** The largest factor: the one that the user should make smaller. */
export const largestFactor = (definition: SweepDefinition): Factor => {
  const { search } = definition;
  const draws = search.strategy === 'random' ? [{ path: 'search.trials', values: search.trials }] : [];
  return [...draws, ...factorsOf(definition)].reduce((largest, factor) =>
    factor.values > largest.values ? factor : largest,
  );
};

/** The number of values in the settings of attacks. */
const countSettings = ({ attacks }: SweepDefinition): number => {
  if ('preset' in attacks) return 0;
  return attacks.reduce((sum, entry) => {
    const values = Object.values(entry.settings ?? {}).map((value) =>
      Array.isArray(value) ? value.length : 1,
    );
    return sum + attacksOf(entry).length * values.reduce((total, count) => total + count, 0);
  }, 0);
};

/** The number of values that a random search draws, without repeated draws. */
const countDraws = ({ search, space, seeds }: SweepDefinition, trials: number): number =>
  search.strategy === 'random' ? (trials / new Set(seeds).size) * Object.keys(space).length : 0;

/** The number of values that are written in the definition, without those of ranges. */
const countWritten = ({ space, seeds, recipes }: SweepDefinition): number =>
  Object.values(space as Readonly<Record<string, Dimension>>).reduce<number>(
    (sum, dimension) => sum + (Array.isArray(dimension) ? dimension.length : 1),
    seeds.length + recipes.length,
  );

/** The number of values that planning reads: written values, points of ranges, draws and settings. */
const countValues = (definition: SweepDefinition, trials: number): number =>
  factorsOf(definition).reduce(
    (sum, { values }) => sum + values,
    countSettings(definition) + countDraws(definition, trials),
  );

/** Up to these limits a sweep is small. Planning it takes up to about 20 ms. */
const smallLimits = { values: 1000, stages: 2000 };
/** Up to these limits a sweep is medium. Planning it takes about a second, so it must not wait for a large sweep. */
const mediumLimits = { values: 20_000, stages: 20_000 };

export type Size = 'small' | 'medium' | 'large';

/** Throws SWEEP_TOO_LARGE for more trials or stages than a sweep may have, and the other errors of `countTrials`. */
export const sizeOf = (definition: SweepDefinition): Size => {
  if (countWritten(definition) > mediumLimits.values) return 'large'; // countTrials reads every written value
  const counted = { ...definition, recipes: [...new Set(definition.recipes)] };
  const trials = countTrials(counted);
  const stages = trials * (longestTraining(counted) + countListedAttacks(definition));
  if (stages > maxStages && countListedAttacks(definition) <= smallLimits.values) countStages(definition); // throws unless attacks repeat
  const values = countValues(definition, trials);
  if (values > mediumLimits.values) return 'large';
  if (values <= smallLimits.values && stages <= smallLimits.stages) return 'small';
  return stages <= mediumLimits.stages ? 'medium' : 'large';
};

const maxStages = fixedLimit('stages');

const countAttacks = ({ attacks, dataset }: SweepDefinition): number =>
  expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) }).length;

/** The number of training stages of the longest recipe. */
const longestTraining = ({ recipes: names }: SweepDefinition): number =>
  Math.max(...names.map((name) => (recipes[name] as Recipe).stages.length));

/** The number of stages if trials shared none. Throws SWEEP_TOO_LARGE. */
export const countStages = (definition: SweepDefinition): number => {
  const trials = countTrials(definition);
  const attacks = countAttacks(definition);
  const trainingStages = longestTraining(definition);
  const stages = trials * (trainingStages + attacks);
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
            expected: `at most ${Math.floor(maxStages / trials) - trainingStages} for ${trials} trials`,
            received: String(attacks),
          },
        ],
      },
    );
  return stages;
};
