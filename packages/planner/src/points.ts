/**
 * The values of one hyperparameter, by number: none is made before it is asked for. The ends of a range are values of the hyperparameter, and so is every point
 * between them.
 */
import {
  AppError,
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
  /** Values asked for, equal ones included; null: a continuous range. */
  readonly asked: number | null;
  /** Different values; Infinity for a continuous range of reals. */
  readonly size: number;
  /** The value number `index` of `size`, in the order of the list or range; null where a grid cannot walk them. */
  readonly at: ((index: number) => HyperparameterValue) | null;
  /** The value at a share of the axis, 0 ≤ share < 1: a uniform share gives a uniform value. */
  readonly draw: (share: number) => HyperparameterValue;
};

const inside = ({ min, max }: Range, value: number): number => Math.min(max, Math.max(min, value));

/** The point at a share of the way from min to max, on the range's own scale; both ends exact. */
const between = (range: Range, share: number): number => {
  const { min, max, scale } = range;
  if (share === 0) return min;
  if (share === 1) return max;
  const value = scale === 'log' ? min * (max / min) ** share : min + (max - min) * share;
  return inside(range, Number(value.toPrecision(12)));
};

/** A step that misses `max` by less than this share of a step still lands on it: 0.1 + 0.2 is not 0.3. */
const slack = 1e-9;

type Points = { readonly size: number; readonly at: (index: number) => number };

const steps = (range: Range, step: number): Points => {
  const { min, max } = range;
  const last = Math.floor((max - min) / step + slack);
  const lands = Math.abs(max - (min + last * step)) <= slack * step;
  return {
    size: last + 1,
    at: (index) => {
      if (index === 0) return min;
      if (index === last && lands) return max;
      return inside(range, Number((min + index * step).toPrecision(15)));
    },
  };
};

const counted = (range: Range, count: number): Points => ({
  size: count,
  at: (index) => between(range, index / (count - 1)),
});

/**
 * The first of `count` points whose next one is at least 1 away. Up to it, rounding leaves out no whole number; from it on, rounding makes no
 * two points equal.
 */
const firstApart = ({ min, max, scale }: Range, count: number): number => {
  const last = count - 1;
  if (scale === 'linear') return max - min < last ? last : 0;
  const growth = Math.log(max / min) / last;
  const first = Math.ceil(-Math.log(min * Math.expm1(growth)) / growth);
  return Math.min(last, Math.max(0, first));
};

/** `count` points rounded to whole numbers, equal ones once: every whole number while the points are dense, then the points themselves. */
const countedWhole = (range: Range, count: number): Points => {
  const rounded = (index: number): number => Math.round(counted(range, count).at(index));
  const apart = firstApart(range, count);
  const dense = rounded(apart) - range.min;
  return {
    size: dense + count - apart,
    at: (index) => (index <= dense ? range.min + index : rounded(apart + index - dense)),
  };
};

/** Null: the range is continuous. */
const pointsOf = (range: Range, isWhole: boolean): Points | null => {
  const { min, max, step, count } = range;
  if (min === max) return { size: 1, at: () => min };
  if (step !== undefined) return steps(range, step);
  if (count !== undefined) return isWhole ? countedWhole(range, count) : counted(range, count);
  return null;
};

/** The `size` whole numbers from min to max. Linear: each as likely as the others. Log: as likely as [n − ½, n + ½) is wide on that scale. */
const drawWhole = (range: Range, size: number, share: number): number => {
  const { min, max, scale } = range;
  if (scale === 'linear') return min + Math.floor(share * size);
  const low = min - 0.5;
  return inside(range, Math.round(low * ((max + 0.5) / low) ** share));
};

const continuous = (range: Range, isWhole: boolean): Pick<Axis, 'size' | 'draw'> => {
  if (!isWhole) return { size: Number.POSITIVE_INFINITY, draw: (share) => between(range, share) };
  const size = range.max - range.min + 1;
  return { size, draw: (share) => drawWhole(range, size, share) };
};

/** For a definition that `SweepDefinition` did not read: an older version accepted ranges that it refuses. */
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

/** Costs the same for every range, however many points it has; a list is walked once. Throws INVALID_REQUEST. */
export const axisOf = (hyperparameter: HyperparameterName, dimension: Dimension): Axis => {
  const discrete = (asked: number, size: number, at: (index: number) => HyperparameterValue): Axis => ({
    hyperparameter,
    asked,
    size,
    at,
    draw: (share) => at(Math.floor(share * size)),
  });
  if (!isRange(dimension)) {
    const written = Array.isArray(dimension) ? dimension : [dimension];
    const values = [...new Set(written)];
    return discrete(written.length, values.length, (index) => values[index]!);
  }
  refuseFaults(hyperparameter, dimension);
  const isWhole = hyperparameterDeclaration(hyperparameter).kind === 'whole';
  const points = pointsOf(dimension, isWhole);
  if (!points) return { hyperparameter, asked: null, at: null, ...continuous(dimension, isWhole) };
  return discrete(dimension.count ?? points.size, points.size, points.at);
};

/** How the points of a search space are chosen. A strategy of the sweep file is an entry here, which does not compile while one is missing. */

export type Point = Readonly<Record<string, HyperparameterValue>>;

/** `draws`: points drawn, those that were there already included; null where none is left to chance. */
export type Chosen = { readonly points: readonly Point[]; readonly draws: number | null };

type Strategy<S extends Search> = {
  /** Points at most; makes none of them. */
  readonly count: (axes: readonly Axis[], search: S) => number;
  /** Each once, in a fixed order. */
  readonly choose: (axes: readonly Axis[], search: S) => Chosen;
};

/** Different points of the space; Infinity where a hyperparameter has a continuous range of reals. */
export const spaceSize = (axes: readonly Axis[]): number =>
  axes.reduce((product, { size }) => product * size, 1);

type Walked = Axis & { readonly at: NonNullable<Axis['at']> };

/** Throws CONTINUOUS_GRID. */
const walked = (axes: readonly Axis[]): readonly Walked[] =>
  axes.map((axis) => {
    const { hyperparameter, at } = axis;
    if (at) return { ...axis, at };
    throw new AppError(
      'CONTINUOUS_GRID',
      `Expected a step or a count for the range of ${hyperparameter}, since a grid cannot walk a continuous range`,
      {
        issues: [
          { path: `space.${hyperparameter}`, expected: 'a step or a count', received: 'a continuous range' },
        ],
      },
    );
  });

/** Later hyperparameters turn fastest, like the digits of a number. */
const grid: Strategy<Extract<Search, { strategy: 'grid' }>> = {
  count: (axes) => spaceSize(walked(axes)),
  choose: (axes) => {
    const digits = walked(axes)
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

/** Uniform in [0, 1), from the first 52 bits of a hash: a draw depends on the search's seed, its number and its hyperparameter alone. */
const uniform = (...words: readonly (string | number)[]): number =>
  Number.parseInt(sha256(JSON.stringify(words)).slice(0, 13), 16) / 2 ** 52;

/** Draws for each point that is wanted, before a search gives up looking for new ones. */
const maxTries = 20;

/** Ends when it has as many points as were asked for or as the space has, or when it has tried `mostTries` times for each of these. */
const random: Strategy<Extract<Search, { strategy: 'random' }>> = {
  count: (_axes, { trials }) => trials,
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
  readonly [Name in Search['strategy']]: Strategy<Extract<Search, { strategy: Name }>>;
};

const strategyOf = (search: Search) => strategies[search.strategy] as Strategy<Search>; // each is asked with the search that names it

export const countPoints = (axes: readonly Axis[], search: Search): number =>
  strategyOf(search).count(axes, search);

export const choosePoints = (axes: readonly Axis[], search: Search): Chosen =>
  strategyOf(search).choose(axes, search);
