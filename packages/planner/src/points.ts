/**
 * The points of a search space for a grid and for random draws, which follow from the sweep file alone. An axis computes each value of one
 * hyperparameter from the index of the value; a strategy combines the axes. `packages/search` chooses the points of all other searches.
 * `SweepDefinition` checks that the ends of a range are values of the hyperparameter; every point between is then a value too.
 */
import {
  AppError,
  type DecidedSearch,
  type Dimension,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  isNumeric,
  isRange,
  type Range,
  rangeFaults,
  type Search,
} from '@funnel/contracts';
import { sha256 } from './identity.ts';

export type Axis = {
  readonly hyperparameter: HyperparameterName;
  /** Number of values in the definition; equal values count each. Null for a continuous range. */
  readonly asked: number | null;
  /** Number of different values; Infinity for a continuous range of real numbers. */
  readonly size: number;
  /** The value at `index` < `size`, in the order of the list or range; null for a continuous range. */
  readonly at: ((index: number) => HyperparameterValue) | null;
  /** The value at a share of the axis, 0 ≤ share < 1. A uniform share gives a uniform value. */
  readonly draw: (share: number) => HyperparameterValue;
};

const clamp = ({ min, max }: Range, value: number): number => Math.min(max, Math.max(min, value));

/** The point at a share of the range, 0 ≤ share ≤ 1, on the range's scale; both ends are exact. */
const pointAt = (range: Range, share: number): number => {
  const { min, max, scale } = range;
  if (share === 0) return min;
  if (share === 1) return max;
  const value = scale === 'log' ? min * (max / min) ** share : min + (max - min) * share;
  return clamp(range, Number(value.toPrecision(12)));
};

/** The last point counts as `max` if it misses `max` by at most this share of a step: 0.1 + 0.2 is not 0.3. */
const stepTolerance = 1e-9;

type Points = { readonly size: number; readonly at: (index: number) => number };

const steppedPoints = (range: Range, step: number): Points => {
  const { min, max } = range;
  const last = Math.floor((max - min) / step + stepTolerance);
  const endsAtMax = Math.abs(max - (min + last * step)) <= stepTolerance * step;
  return {
    size: last + 1,
    at: (index) => {
      if (index === 0) return min;
      if (index === last && endsAtMax) return max;
      return clamp(range, Number((min + index * step).toPrecision(15)));
    },
  };
};

const countedPoints = (range: Range, count: number): Points => ({
  size: count,
  at: (index) => pointAt(range, index / (count - 1)),
});

/**
 * The index of the first of `count` points whose successor is at least 1 away. Before this point rounding skips no whole number. From this
 * point on rounding makes no two points equal.
 */
const firstSparseIndex = ({ min, max, scale }: Range, count: number): number => {
  const last = count - 1;
  if (scale === 'linear') return max - min < last ? last : 0;
  const growth = Math.log(max / min) / last;
  const first = Math.ceil(-Math.log(min * Math.expm1(growth)) / growth);
  return Math.min(last, Math.max(0, first));
};

/**
 * `count` points rounded to whole numbers; equal ones count once. The result has every whole number where the points are dense, then the
 * rounded points.
 */
const countedWholePoints = (range: Range, count: number): Points => {
  const rounded = (index: number): number => Math.round(countedPoints(range, count).at(index));
  const sparse = firstSparseIndex(range, count);
  const dense = rounded(sparse) - range.min;
  return {
    size: dense + count - sparse,
    at: (index) => (index <= dense ? range.min + index : rounded(sparse + index - dense)),
  };
};

/** The points of a range; null for a continuous one. */
const pointsOf = (range: Range, isWhole: boolean): Points | null => {
  const { min, max, step, count } = range;
  if (min === max) return { size: 1, at: () => min };
  if (step !== undefined) return steppedPoints(range, step);
  if (count !== undefined) return isWhole ? countedWholePoints(range, count) : countedPoints(range, count);
  return null;
};

/**
 * One of the `size` whole numbers from min to max. Linear: all are equally likely. Log: the probability of n is proportional to the width
 * of [n − ½, n + ½) on the log scale.
 */
const drawWhole = (range: Range, size: number, share: number): number => {
  const { min, max, scale } = range;
  if (scale === 'linear') return min + Math.floor(share * size);
  const low = min - 0.5;
  return clamp(range, Math.round(low * ((max + 0.5) / low) ** share));
};

const continuous = (range: Range, isWhole: boolean): Pick<Axis, 'size' | 'draw'> => {
  if (!isWhole) return { size: Number.POSITIVE_INFINITY, draw: (share) => pointAt(range, share) };
  const size = range.max - range.min + 1;
  return { size, draw: (share) => drawWhole(range, size, share) };
};

/** Throws INVALID_REQUEST for a range that `SweepDefinition` refuses. An older version may have stored such a range. */
const refuseFaults = (hyperparameter: HyperparameterName, range: Range): void => {
  const declared = hyperparameterDeclaration(hyperparameter);
  const [fault] = isNumeric(declared) ? rangeFaults(declared, range) : [];
  if (!fault) return;
  const { path, expected } = fault;
  const received = String(range[path]);
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${received}`, {
    issues: [{ path: `space.${hyperparameter}.${path}`, expected, received }],
  });
};

/** The axis of one hyperparameter. For a range the time does not depend on the number of points. Throws INVALID_REQUEST. */
export const axisOf = (hyperparameter: HyperparameterName, dimension: Dimension): Axis => {
  const discrete = (asked: number, size: number, at: (index: number) => HyperparameterValue): Axis => ({
    hyperparameter,
    asked,
    size,
    at,
    draw: (share) => at(Math.floor(share * size)),
  });
  if (!isRange(dimension)) {
    const list = Array.isArray(dimension) ? dimension : [dimension];
    const values = [...new Set(list)];
    return discrete(list.length, values.length, (index) => values[index]!);
  }
  refuseFaults(hyperparameter, dimension);
  const isWhole = hyperparameterDeclaration(hyperparameter).kind === 'whole';
  const points = pointsOf(dimension, isWhole);
  if (!points) return { hyperparameter, asked: null, at: null, ...continuous(dimension, isWhole) };
  return discrete(dimension.count ?? points.size, points.size, points.at);
};

export type Point = Readonly<Record<string, HyperparameterValue>>;

/** A search whose points follow from the sweep file alone. */
type ListedSearch = Exclude<Search, DecidedSearch>;

/** `draws`: the number of draws, including repeated points; null for a grid. */
export type Chosen = { readonly points: readonly Point[]; readonly draws: number | null };

type Strategy<S extends ListedSearch> = {
  /** The maximum number of points; computes none of them. */
  readonly count: (axes: readonly Axis[], search: S) => number;
  /** The points, each once, in a fixed order. */
  readonly choose: (axes: readonly Axis[], search: S) => Chosen;
};

/** The number of different points of the space; Infinity if a hyperparameter has a continuous range of real numbers. */
export const spaceSize = (axes: readonly Axis[]): number =>
  axes.reduce((product, { size }) => product * size, 1);

type DiscreteAxis = Axis & { readonly at: NonNullable<Axis['at']> };

/** Throws CONTINUOUS_GRID if an axis is continuous. */
const discreteAxes = (axes: readonly Axis[]): readonly DiscreteAxis[] =>
  axes.map((axis) => {
    const { hyperparameter, at } = axis;
    if (at) return { ...axis, at };
    throw new AppError(
      'CONTINUOUS_GRID',
      `Expected a step or a count for the range of ${hyperparameter}, since a grid cannot contain a continuous range`,
      {
        issues: [
          { path: `space.${hyperparameter}`, expected: 'a step or a count', received: 'a continuous range' },
        ],
      },
    );
  });

/** All combinations. Later hyperparameters change fastest, like the digits of a number. */
const grid: Strategy<Extract<Search, { strategy: 'grid' }>> = {
  count: (axes) => spaceSize(discreteAxes(axes)),
  choose: (axes) => {
    const digits = discreteAxes(axes)
      .map(({ hyperparameter, size, at }) => ({
        hyperparameter,
        values: Array.from({ length: size }, (_, index) => at(index)),
      }))
      .reverse();
    const points = Array.from({ length: spaceSize(axes) }, (_, number) => {
      const point: Record<string, HyperparameterValue> = {};
      let rest = number;
      for (const { hyperparameter, values } of digits) {
        point[hyperparameter] = values[rest % values.length]!;
        rest = Math.floor(rest / values.length);
      }
      return point;
    });
    return { points, draws: null };
  },
};

/** Uniform in [0, 1), from the first 52 bits of a hash: a draw depends only on the seed of the search, its number and its hyperparameter. */
const uniform = (...words: readonly (string | number)[]): number =>
  Number.parseInt(sha256(JSON.stringify(words)).slice(0, 13), 16) / 2 ** 52;

/** A random search stops after this many draws for each point that it should find. */
const maxTries = 20;

/**
 * Draws until it has the requested number of points or all points of the space. Gives up after `maxTries` draws for each of these points.
 */
const random: Strategy<Extract<Search, { strategy: 'random' }>> = {
  count: (axes, { trials }) => Math.min(trials, spaceSize(axes)),
  choose: (axes, { trials, seed }) => {
    const wanted = Math.min(trials, spaceSize(axes));
    const points = new Map<string, Point>();
    let draws = 0;
    while (points.size < wanted && draws < wanted * maxTries) {
      const point: Record<string, HyperparameterValue> = {};
      for (const { hyperparameter, size, draw } of axes)
        point[hyperparameter] = draw(size === 1 ? 0 : uniform('random search', seed, draws, hyperparameter));
      points.set(JSON.stringify(point), point);
      draws += 1;
    }
    return { points: [...points.values()], draws };
  },
};

const strategies = { grid, random } satisfies {
  readonly [Name in ListedSearch['strategy']]: Strategy<Extract<Search, { strategy: Name }>>;
};

const strategyOf = (search: ListedSearch) => strategies[search.strategy] as Strategy<ListedSearch>; // each strategy gets a search of its own kind

export const countPoints = (axes: readonly Axis[], search: ListedSearch): number =>
  strategyOf(search).count(axes, search);

export const choosePoints = (axes: readonly Axis[], search: ListedSearch): Chosen =>
  strategyOf(search).choose(axes, search);
