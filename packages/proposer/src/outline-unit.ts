/** What a decision trains: the trials of a configuration at a rung, one for each seed, and the stages that they need. */
import {
  defaultHyperparameters,
  type HyperparameterName,
  type Hyperparameters,
  isPromoting,
  type Recipe,
  type RecipeName,
  recipes,
  type SearchPoint,
  type SweepDefinition,
} from '@funnel/contracts';
import type { NewDecision } from '@funnel/db';
import { type DecidedPoint, type Outline, outlinePoints } from '@funnel/planner';
import { countSeeds, decidedSearchOf, rungEpochsOf } from './decided-search.ts';
import { lowerAttacks } from './wanted-values.ts';

/** A unit of a search: a point of its space at a rung. */
export type PointAtRung = { readonly point: SearchPoint; readonly rung: number };

/** Returns the function from a unit to the point that the planner outlines. */
export const createPointOf = (definition: SweepDefinition): ((unit: PointAtRung) => DecidedPoint) => {
  const search = decidedSearchOf(definition);
  const rungs = rungEpochsOf(definition);
  const lower = lowerAttacks(definition);
  const [onlyRecipe] = definition.recipes;
  return ({ point: { recipe = onlyRecipe!, ...hyperparameters }, rung }) => ({
    recipe: recipe as RecipeName,
    hyperparameters: isPromoting(search)
      ? { ...hyperparameters, [search.fidelity.hyperparameter]: rungs[rung]! }
      : hyperparameters,
    ...(rung < rungs.length - 1 && { attacks: lower }),
  });
};

/** The trials, numbered from 0, and the stages of a decision that is not empty. Throws like `outlinePoints`. */
export const outlineUnit = (
  definition: SweepDefinition,
  engineVersion: string,
  { number, point, rung }: Pick<NewDecision, 'number' | 'point' | 'rung'>,
): Outline => {
  if (point === null || rung === null)
    throw new Error(`Expected a decision with a unit, but decision ${number} is an empty place`);
  return outlinePoints(definition, engineVersion, [createPointOf(definition)({ point, rung })]);
};

/**
 * The epochs that a unit adds. `from`: the rung that it continues from, null for a new configuration. A promotion trains the stages after the
 * one with the fidelity anew, and none before it. Stages that other configurations share count each time.
 */
export const countNewEpochs = (
  definition: SweepDefinition,
  { point, rung }: PointAtRung,
  from: number | null,
): number => {
  const pointOf = createPointOf(definition);
  const search = decidedSearchOf(definition);
  const valuesAt = (at: number): Hyperparameters => ({
    ...defaultHyperparameters,
    ...pointOf({ point, rung: at }).hyperparameters,
  });
  const { recipe } = pointOf({ point, rung });
  const { stages }: Recipe = recipes[recipe];
  const continued =
    from !== null && isPromoting(search)
      ? stages.findIndex(({ lengthOf }) =>
          lengthOf.includes(search.fidelity.hyperparameter as HyperparameterName),
        )
      : -1;
  const epochs = stages.reduce((sum, stage, place) => {
    if (place < continued) return sum;
    const before = place === continued ? stage.epochs(valuesAt(from!)) : 0;
    return sum + stage.epochs(valuesAt(rung)) - before;
  }, 0);
  return epochs * countSeeds(definition);
};
