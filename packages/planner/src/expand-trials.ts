/** From a search space to trials: pure, in a fixed order, and counted before it is walked. */
import {
  AppError,
  Hyperparameters,
  knobsOf,
  mostTrials,
  type RecipeName,
  type SweepDefinition,
  type TrialPoint,
} from '@funnel/contracts';
import { countPoints, type Dimensions, listPoints } from './strategies.ts';

/** The named dimensions that this recipe reads, in the knobs' order of declaration. */
const dimensionsOf = (recipe: RecipeName, { space }: SweepDefinition): Dimensions =>
  knobsOf(recipe).flatMap((name) => {
    const dimension = space[name];
    return dimension === undefined ? [] : [[name, dimension] as const];
  });

/** Trials at most (duplicates not yet removed), without making them. Throws SWEEP_TOO_LARGE beyond the limit. */
export const countTrials = (definition: SweepDefinition): number => {
  const { recipes, search, seeds } = definition;
  const points = recipes.reduce(
    (sum, recipe) => sum + countPoints(dimensionsOf(recipe, definition), search),
    0,
  );
  const trials = points * seeds.length;
  if (trials > mostTrials)
    throw new AppError('SWEEP_TOO_LARGE', `Expected at most ${mostTrials} trials, but got ${trials}`, {
      trials,
      limit: mostTrials,
    });
  return trials;
};

/** Every trial once: recipe by recipe, point by point, seed by seed. */
export const expandTrials = (definition: SweepDefinition): readonly TrialPoint[] => {
  countTrials(definition);
  const { recipes, search, seeds } = definition;
  return [...new Set(recipes)].flatMap((recipe) => {
    const knobs = knobsOf(recipe);
    return listPoints(dimensionsOf(recipe, definition), search).flatMap((point) => {
      const all = Hyperparameters.parse(point);
      const hyperparameters = Object.fromEntries(knobs.map((name) => [name, all[name]]));
      return [...new Set(seeds)].map((seed) => ({ recipe, hyperparameters, seed }));
    });
  });
};
