/** What a plan says of its search space: the values of each hyperparameter, and what of the definition makes no trials of its own. */
import {
  AppError,
  type Dimension,
  defaultHyperparameters,
  type HyperparameterName,
  hyperparametersOf,
  maxTrials,
  type Plan,
  type PlannedHyperparameter,
  type RecipeName,
  type Search,
  type SearchSpace,
  type SweepDefinition,
  type TrialPoint,
} from '@funnel/contracts';
import { type Axis, axisOf, choosePoints, countPoints, spaceSize } from './points.ts';

export type SpaceReport = Required<Pick<Plan, 'space' | 'leftOut'>>;

/** Values of a hyperparameter that a plan shows: those of most sweeps, and the beginning of the others. */
const maxShown = 10;

const describeAxis = (
  { hyperparameter, asked, size, at }: Axis,
  space: SearchSpace,
): PlannedHyperparameter => {
  const dimension = space[hyperparameter]!;
  if (at && asked !== null) {
    const values = Array.from({ length: Math.min(size, maxShown) }, (_, index) => at(index));
    return { hyperparameter, asked, different: size, values, continuous: null };
  }
  const different = Number.isFinite(size) ? size : null;
  const { min, max, scale } = dimension as Extract<typeof dimension, { readonly min: number }>; // only a range is continuous
  return { hyperparameter, asked, different, values: [], continuous: { min, max, scale } };
};

export const describeAxes = (axes: readonly Axis[], space: SearchSpace): PlannedHyperparameter[] =>
  axes.map((axis) => describeAxis(axis, space));

type Named = { readonly name: string; readonly asked: number; readonly different: number };

const number = (value: number): string => value.toLocaleString('en-US');

export const sameTwice = (dimensions: readonly Named[]): readonly string[] =>
  dimensions.flatMap(({ name, asked, different }) =>
    different < asked ? [`${name}: ${number(asked)} asked for, ${number(different)} different`] : [],
  );

/** What a search found for one recipe. `size`: the points of its space. */
export type Found = {
  readonly recipe: RecipeName;
  readonly points: number;
  readonly draws: number | null;
  readonly size: number;
};

/** A random search that found fewer points than it was asked for. */
export const shortOf = (search: Search, found: readonly Found[]): readonly string[] => {
  if (search.strategy !== 'random') return [];
  return found.flatMap(({ recipe, points, draws, size }) => {
    if (points === search.trials) return [];
    const which = found.length === 1 ? '' : `${recipe}, `;
    const why = points === size ? 'the space has no more' : `${number(draws ?? 0)} draws found no more`;
    return [`${which}${number(points)} of ${number(search.trials)}: ${why}`];
  });
};

/** From a search space to trials: pure, in a fixed order, and counted before anything is made. */

type Axes = ReadonlyMap<HyperparameterName, Axis>;

const axesOf = ({ space }: SweepDefinition): Axes =>
  new Map(
    (Object.entries(space) as [HyperparameterName, Dimension | undefined][]).flatMap(([name, dimension]) =>
      dimension === undefined ? [] : [[name, axisOf(name, dimension)]],
    ),
  );

/** Those that this recipe reads, in the hyperparameters' order of declaration. */
const readBy = (recipe: RecipeName, axes: Axes): readonly Axis[] =>
  hyperparametersOf(recipe).flatMap((name) => axes.get(name) ?? []);

const written = (count: number): string =>
  count > Number.MAX_SAFE_INTEGER ? `more than ${Number.MAX_SAFE_INTEGER}` : String(count);

/** What to make smaller: the longest of all that trials are multiplied by. */
const tooLarge = (trials: number, axes: Axes, { search, seeds }: SweepDefinition): AppError => {
  const dimensions =
    search.strategy === 'random'
      ? [{ path: 'search.trials', size: search.trials }]
      : [...axes.values()].map(({ hyperparameter, size }) => ({ path: `space.${hyperparameter}`, size }));
  const [{ path, size }] = [...dimensions, { path: 'seeds', size: seeds.length }].sort(
    (a, b) => b.size - a.size,
  ) as [(typeof dimensions)[number]]; // seeds at least
  const received = `${written(size)} values`;
  return new AppError(
    'SWEEP_TOO_LARGE',
    `Expected at most ${maxTrials} trials, but got ${written(trials)}. The longest dimension is ${path} with ${received}.`,
    {
      trials: Math.min(trials, Number.MAX_SAFE_INTEGER),
      limit: maxTrials,
      issues: [{ path, expected: `fewer values: at most ${maxTrials} trials in all`, received }],
    },
  );
};

const countChecked = (definition: SweepDefinition, axes: Axes): number => {
  const { recipes, search, seeds } = definition;
  const points = [...new Set(recipes)].reduce(
    (sum, recipe) => sum + countPoints(readBy(recipe, axes), search),
    0,
  );
  const trials = points * new Set(seeds).size;
  if (trials > maxTrials) throw tooLarge(trials, axes, definition);
  return trials;
};

/**
 * The trials of a sweep, without making one; costs the same for every range. Exact for a grid. For a random search, those that it asks for: a
 * small space has fewer. Throws SWEEP_TOO_LARGE beyond the limit, CONTINUOUS_GRID, and INVALID_REQUEST.
 */
export const countTrials = (definition: SweepDefinition): number =>
  countChecked(definition, axesOf(definition));

export type Expansion = { readonly trials: readonly TrialPoint[]; readonly report: SpaceReport };

/** Every trial once: recipe by recipe, point by point, seed by seed. Throws what `countTrials` throws. */
export const expandSweep = (definition: SweepDefinition): Expansion => {
  const axes = axesOf(definition);
  countChecked(definition, axes);
  const { search } = definition;
  const recipes = [...new Set(definition.recipes)];
  const seeds = [...new Set(definition.seeds)];
  const trials: TrialPoint[] = [];
  const found: Found[] = [];
  for (const recipe of recipes) {
    const read = readBy(recipe, axes);
    const usual = Object.fromEntries(
      hyperparametersOf(recipe).map((name) => [name, defaultHyperparameters[name]]),
    );
    const { points, draws } = choosePoints(read, search);
    found.push({ recipe, points: points.length, draws, size: spaceSize(read) });
    for (const point of points) {
      const hyperparameters = { ...usual, ...point };
      for (const seed of seeds) trials.push({ recipe, hyperparameters, seed });
    }
  }
  return {
    trials,
    report: {
      space: describeAxes([...axes.values()], definition.space),
      leftOut: [
        ...sameTwice([
          { name: 'recipes', asked: definition.recipes.length, different: recipes.length },
          ...[...axes.values()].map(({ hyperparameter, asked, size }) => ({
            name: hyperparameter,
            asked: asked ?? size,
            different: size,
          })),
          { name: 'seeds', asked: definition.seeds.length, different: seeds.length },
        ]),
        ...shortOf(search, found),
      ],
    },
  };
};

export const expandTrials = (definition: SweepDefinition): readonly TrialPoint[] =>
  expandSweep(definition).trials;
