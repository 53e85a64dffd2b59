/** From a search space to trials: pure, in a fixed order, and counted before it is walked. */
import {
  AppError,
  type Dimension,
  type HyperparameterName,
  Hyperparameters,
  type KnobValue,
  knobsOf,
  mostTrials,
  type RecipeName,
  type SweepDefinition,
  type TrialPoint,
} from '@funnel/contracts';
import { sha256 } from './identity.ts';
import { countValues, drawValue, listValues } from './values.ts';

type Dimensions = readonly (readonly [HyperparameterName, Dimension])[];

/** The named dimensions that this recipe reads, in the knobs' order of declaration. */
const dimensionsOf = (recipe: RecipeName, { space }: SweepDefinition): Dimensions =>
  knobsOf(recipe).flatMap((name) => {
    const dimension = space[name];
    return dimension === undefined ? [] : [[name, dimension] as const];
  });

const countPoints = (recipe: RecipeName, definition: SweepDefinition): number => {
  if (definition.search.strategy === 'random') return definition.search.trials;
  // A continuous range counts as one here: listValues refuses it with its own message.
  return dimensionsOf(recipe, definition).reduce(
    (product, [, dimension]) => product * (countValues(dimension) ?? 1),
    1,
  );
};

/** Trials at most (duplicates not yet removed), without making them. Throws SWEEP_TOO_LARGE beyond the limit. */
export const countTrials = (definition: SweepDefinition): number => {
  const points = definition.recipes.reduce((sum, recipe) => sum + countPoints(recipe, definition), 0);
  const trials = points * definition.seeds.length;
  if (trials > mostTrials)
    throw new AppError('SWEEP_TOO_LARGE', `Expected at most ${mostTrials} trials, but got ${trials}`, {
      trials,
      limit: mostTrials,
    });
  return trials;
};

/** Later knobs turn fastest, like the digits of a number. */
const gridPoints = (dimensions: Dimensions): readonly Record<string, KnobValue>[] =>
  dimensions.reduce<readonly Record<string, KnobValue>[]>(
    (points, [name, dimension]) => {
      const values = listValues(name, dimension);
      return points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
    },
    [{}],
  );

/** Uniform in [0, 1), from the first 52 bits of a hash: a draw depends on the search's seed, its number and its knob alone. */
const uniform = (...words: readonly (string | number)[]): number =>
  Number.parseInt(sha256(JSON.stringify(words)).slice(0, 13), 16) / 2 ** 52;

/** Draw until enough different points are there; a small space simply has fewer (each is tried at most 20 times as often as asked). */
const randomPoints = (
  dimensions: Dimensions,
  trials: number,
  seed: number,
): readonly Record<string, KnobValue>[] => {
  const points = new Map<string, Record<string, KnobValue>>();
  for (let draw = 0; draw < trials * 20 && points.size < trials; draw++) {
    const point = Object.fromEntries(
      dimensions.map(([name, dimension]) => [
        name,
        drawValue(name, dimension, uniform('random search', seed, draw, name)),
      ]),
    );
    points.set(JSON.stringify(point), point);
  }
  return [...points.values()];
};

/** Every trial once: recipe by recipe, point by point, seed by seed. */
export const expandTrials = (definition: SweepDefinition): readonly TrialPoint[] => {
  countTrials(definition);
  const { search, seeds } = definition;
  return [...new Set(definition.recipes)].flatMap((recipe) => {
    const dimensions = dimensionsOf(recipe, definition);
    const points =
      search.strategy === 'grid'
        ? gridPoints(dimensions)
        : randomPoints(dimensions, search.trials, search.seed);
    const knobs = knobsOf(recipe);
    return points.flatMap((point) => {
      const all = Hyperparameters.parse(point);
      const hyperparameters = Object.fromEntries(knobs.map((name) => [name, all[name]]));
      return [...new Set(seeds)].map((seed) => ({ recipe, hyperparameters, seed }));
    });
  });
};
