/**
 * Makes trials from a search space, or from points that a search has decided: pure, in a fixed order. Counts the trials before it makes any.
 */
import {
  AppError,
  type AttackSpec,
  type DecidedSearch,
  type Dimension,
  defaultHyperparameters,
  formatAmount,
  type HyperparameterName,
  type Hyperparameters,
  type HyperparameterValue,
  hyperparametersOf,
  isDecided,
  isPromoting,
  maxTrials,
  type Plan,
  type PlannedHyperparameter,
  type RecipeName,
  type Search,
  type SearchSpace,
  type SweepDefinition,
  type TrialPoint,
} from '@funnel/contracts';
import { identifyingHyperparameters } from './identity.ts';
import { type Axis, axisOf, choosePoints, countPoints, type Point, spaceSize } from './points.ts';

/** The report of a plan on its search space: the values of each hyperparameter, and the parts of the definition that add no trials. */
export type SpaceReport = Required<Pick<Plan, 'space' | 'leftOut'>>;

/** A plan shows this many values of a hyperparameter. */
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

const describeAxes = (axes: readonly Axis[], space: SearchSpace): PlannedHyperparameter[] =>
  axes.map((axis) => describeAxis(axis, space));

type Counted = { readonly name: string; readonly asked: number; readonly different: number };

/** One sentence for each dimension with equal values. */
const describeRepeats = (dimensions: readonly Counted[]): readonly string[] =>
  dimensions.flatMap(({ name, asked, different }) =>
    different < asked
      ? [`${name}: ${formatAmount(asked)} asked for, ${formatAmount(different)} different`]
      : [],
  );

/** The result of a search for one recipe. `size`: the number of points of its space. */
type SearchResult = {
  readonly recipe: RecipeName;
  readonly points: number;
  readonly draws: number | null;
  readonly size: number;
};

/** One sentence for each recipe for which a random search found fewer points than requested. */
const describeShortfalls = (search: Search, results: readonly SearchResult[]): readonly string[] => {
  if (search.strategy !== 'random') return [];
  return results.flatMap(({ recipe, points, draws, size }) => {
    if (points === search.trials) return [];
    const which = results.length === 1 ? '' : `${recipe}, `;
    const why = points === size ? 'the space has no more' : `${formatAmount(draws ?? 0)} draws found no more`;
    return [`${which}${formatAmount(points)} of ${formatAmount(search.trials)}: ${why}`];
  });
};

type Axes = ReadonlyMap<HyperparameterName, Axis>;

const axesOf = ({ space }: SweepDefinition): Axes =>
  new Map(
    (Object.entries(space) as [HyperparameterName, Dimension | undefined][]).flatMap(([name, dimension]) =>
      dimension === undefined ? [] : [[name, axisOf(name, dimension)]],
    ),
  );

/** The axes that this recipe reads. */
const axesReadBy = (recipe: RecipeName, axes: Axes): readonly Axis[] =>
  hyperparametersOf(recipe).flatMap((name) => axes.get(name) ?? []);

const formatLarge = (count: number): string =>
  count > Number.MAX_SAFE_INTEGER ? `more than ${Number.MAX_SAFE_INTEGER}` : String(count);

/** Names the longest dimension, which the user should shorten. */
const tooLarge = (trials: number, axes: Axes, { search, seeds }: SweepDefinition): AppError => {
  const dimensions =
    'trials' in search
      ? [{ path: 'search.trials', size: search.trials }]
      : [...axes.values()].map(({ hyperparameter, size }) => ({ path: `space.${hyperparameter}`, size }));
  const [{ path, size }] = [...dimensions, { path: 'seeds', size: seeds.length }].sort(
    (a, b) => b.size - a.size,
  ) as [(typeof dimensions)[number]]; // not empty: the list contains the seeds
  const received = `${formatLarge(size)} values`;
  return new AppError(
    'SWEEP_TOO_LARGE',
    `Expected at most ${maxTrials} trials, but got ${formatLarge(trials)}. The longest dimension is ${path} with ${received}.`,
    {
      trials: Math.min(trials, Number.MAX_SAFE_INTEGER),
      limit: maxTrials,
      issues: [{ path, expected: `fewer values: at most ${maxTrials} trials in all`, received }],
    },
  );
};

/**
 * The units of a search that decides one configuration after the other, about: each configuration once, and with promotion one of η of them
 * at the next rung, one of η² at the rung after it, and so on. `size`: the number of points of its space.
 */
const countUnits = (search: DecidedSearch, size: number): number => {
  const configurations = Math.min(search.trials, size);
  return isPromoting(search) ? Math.ceil((configurations * search.eta) / (search.eta - 1)) : configurations;
};

const countAll = ({ recipes, search }: SweepDefinition, axes: Axes): number => {
  const sum = (count: (axes: readonly Axis[]) => number): number =>
    [...new Set(recipes)].reduce((total, recipe) => total + count(axesReadBy(recipe, axes)), 0);
  return isDecided(search) ? countUnits(search, sum(spaceSize)) : sum((read) => countPoints(read, search));
};

/** Throws SWEEP_TOO_LARGE. */
const checkedCount = (definition: SweepDefinition, axes: Axes): number => {
  const trials = countAll(definition, axes) * new Set(definition.seeds).size;
  if (trials > maxTrials) throw tooLarge(trials, axes, definition);
  return trials;
};

/**
 * The number of trials of a sweep. Makes no trial, so the time does not depend on the length of a range. Exact for a grid. A random
 * search may find fewer points than requested, although the space has them. With promotion the number is about right. Throws SWEEP_TOO_LARGE beyond the limit, CONTINUOUS_GRID,
 * and INVALID_REQUEST.
 */
export const countTrials = (definition: SweepDefinition): number =>
  checkedCount(definition, axesOf(definition));

/** The values of these hyperparameters. A loop takes a third of the time of a spread or of Object.fromEntries. */
export const pick = (
  names: readonly HyperparameterName[],
  values: Hyperparameters,
): Record<string, HyperparameterValue> => {
  const picked: Record<string, HyperparameterValue> = {};
  for (const name of names) picked[name] = values[name];
  return picked;
};

/**
 * A point of the search space for one recipe. `values`: its own fields are the hyperparameters that the recipe reads and the space names. It
 * inherits the defaults of all others, because copies of them would cost more than the rest of the point.
 */
export type SpacePoint = {
  readonly recipe: RecipeName;
  readonly values: Hyperparameters;
  /** The attacks on its classifiers. (Default: all attacks of the sweep) */
  readonly attacks?: readonly AttackSpec[];
};

const inheriting = (point: Point): Hyperparameters =>
  Object.assign(Object.create(defaultHyperparameters), point);

export type Expansion = {
  /** In the order of recipes, then of the search. */
  readonly points: readonly SpacePoint[];
  /** All different. Each point has a trial for each seed. */
  readonly seeds: readonly number[];
  readonly report: SpaceReport;
};

const reportOf = (
  { recipes, seeds, space, search }: SweepDefinition,
  axes: Axes,
  results: readonly SearchResult[],
): SpaceReport => ({
  space: describeAxes([...axes.values()], space),
  leftOut: [
    ...describeRepeats([
      { name: 'recipes', asked: recipes.length, different: new Set(recipes).size },
      ...[...axes.values()].map(({ hyperparameter, asked, size }) => ({
        name: hyperparameter,
        asked: asked ?? size,
        different: size,
      })),
      { name: 'seeds', asked: seeds.length, different: new Set(seeds).size },
    ]),
    ...describeShortfalls(search, results),
  ],
});

/** All points of a grid or of random draws. Throws like `countTrials`. */
export const expandSweep = (definition: SweepDefinition): Expansion => {
  const axes = axesOf(definition);
  checkedCount(definition, axes);
  const { search } = definition;
  if (isDecided(search))
    throw new Error(
      `Expected a grid or random draws, but got ${search.strategy}, which decides one point after the other`,
    );
  const all: SpacePoint[] = [];
  const results: SearchResult[] = [];
  for (const recipe of new Set(definition.recipes)) {
    const read = axesReadBy(recipe, axes);
    const { points, draws } = choosePoints(read, search);
    results.push({ recipe, points: points.length, draws, size: spaceSize(read) });
    for (const point of points) all.push({ recipe, values: inheriting(point) });
  }
  return {
    points: all,
    seeds: [...new Set(definition.seeds)],
    report: reportOf(definition, axes, results),
  };
};

/** A point that a search has decided. */
export type DecidedPoint = {
  readonly recipe: RecipeName;
  /** The hyperparameters of the space that the recipe reads, and the epochs of the rung. All others have their defaults. */
  readonly hyperparameters: Point;
  /** The attacks on its classifiers: below the highest rung fewer than the sweep has. (Default: all attacks of the sweep) */
  readonly attacks?: readonly AttackSpec[];
};

/** These points of a sweep, in their order. Throws like `countTrials`. */
export const expandPoints = (definition: SweepDefinition, points: readonly DecidedPoint[]): Expansion => {
  const axes = axesOf(definition);
  checkedCount(definition, axes);
  return {
    points: points.map(({ recipe, hyperparameters, attacks }) => ({
      recipe,
      values: inheriting(hyperparameters),
      ...(attacks && { attacks }),
    })),
    seeds: [...new Set(definition.seeds)],
    report: reportOf(definition, axes, []),
  };
};

/** A hyperparameter that a later version added is absent from trials whose sweep does not name it: they are stored as before. */
const oldDefaults = identifyingHyperparameters(defaultHyperparameters);

/** Every trial once, in the order of points and seeds. The trials of a point share one object `hyperparameters`. */
export const trialsOf = ({ points, seeds }: Expansion): readonly TrialPoint[] =>
  points.flatMap(({ recipe, values }) => {
    const names = hyperparametersOf(recipe).filter(
      (name) => name in oldDefaults || Object.hasOwn(values, name),
    );
    const hyperparameters = pick(names, values);
    return seeds.map((seed) => ({ recipe, hyperparameters, seed }));
  });
