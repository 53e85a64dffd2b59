/**
 * The space of a search. Every variable becomes an axis, and the strategies see an axis as the shares from 0 to 1: a continuous axis has a
 * value at each share, and each value of a discrete axis has a cell of shares.
 */
import {
  AppError,
  abbreviate,
  type Dimension,
  didYouMean,
  type HyperparameterValue,
  isRange,
  type Range,
} from '@funnel/contracts';

/** A variable with a condition is read only where an earlier variable has one of the values. */
type Condition = { readonly variable: string; readonly values: readonly HyperparameterValue[] };

export type Variable = {
  readonly name: string;
  /** A value, a list or a range, as in a sweep file. Numbers of a list are ordered; words and booleans are categories. */
  readonly dimension: Dimension;
  /** The values of a range are whole numbers. */
  readonly isWhole?: boolean;
  readonly readWhere?: Condition;
};
export type Space = readonly Variable[];

/** The values of the variables that are read. */
export type Point = Readonly<Record<string, HyperparameterValue>>;

/** The shares from `low` to `high` give one value; both are equal for a value of a continuous axis. */
export type Cell = { readonly low: number; readonly high: number };

export type Axis = {
  readonly name: string;
  readonly kind: 'ordered' | 'categories';
  /** The number of different values; Infinity for a continuous axis. */
  readonly size: number;
  /** The value at `index` < `size`, in order; null for a continuous axis. */
  readonly at: ((index: number) => HyperparameterValue) | null;
  /** The value at a share, 0 ≤ share ≤ 1. A uniform share gives a uniform value on the axis' scale. */
  readonly valueAt: (share: number) => HyperparameterValue;
  readonly has: (value: HyperparameterValue) => boolean;
  /** Throws for a value that is not on the axis. */
  readonly cellOf: (value: HyperparameterValue) => Cell;
  readonly readWhere?: Condition;
};

/** The dimensions of the Sobol sequence that we have direction numbers for. */
export const maxAxes = 53;

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

type Shape = Pick<Axis, 'kind' | 'size' | 'at' | 'valueAt'> & {
  /** Null for a value that is not on the axis. */
  readonly cellOf: (value: HyperparameterValue) => Cell | null;
};

/** `size` values with cells of equal length. `indexOf` gives an index outside of the axis for other values. */
const evenCells = (
  kind: Axis['kind'],
  size: number,
  at: (index: number) => HyperparameterValue,
  indexOf: (value: HyperparameterValue) => number,
): Shape => ({
  kind,
  size,
  at,
  valueAt: (share) => at(Math.min(size - 1, Math.floor(share * size))),
  cellOf: (value) => {
    const index = indexOf(value);
    return index >= 0 && index < size && at(index) === value
      ? { low: index / size, high: (index + 1) / size }
      : null;
  },
});

const listShape = (list: readonly HyperparameterValue[]): Shape => {
  const different = [...new Set(list)];
  const areNumbers = different.every((value) => typeof value === 'number');
  const values = areNumbers ? (different as number[]).sort((a, b) => a - b) : different;
  const indices = new Map(values.map((value, index) => [value, index]));
  return evenCells(
    areNumbers ? 'ordered' : 'categories',
    values.length,
    (index) => values[index]!,
    (value) => indices.get(value) ?? -1,
  );
};

/** The number at a share of a range. Both ends are exact. */
const numberAt = ({ min, max, scale }: Range, share: number): number => {
  if (share <= 0) return min;
  if (share >= 1) return max;
  const value = scale === 'log' ? min * (max / min) ** share : min + (max - min) * share;
  return clamp(Number(value.toPrecision(12)), min, max);
};

const shareOf = ({ min, max, scale }: Range, value: number): number =>
  clamp(scale === 'log' ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min), 0, 1);

const continuousShape = (range: Range): Shape => ({
  kind: 'ordered',
  size: Number.POSITIVE_INFINITY,
  at: null,
  valueAt: (share) => numberAt(range, share),
  cellOf: (value) => {
    if (typeof value !== 'number' || !(value >= range.min && value <= range.max)) return null;
    const share = shareOf(range, value);
    return { low: share, high: share };
  },
});

/** The last value counts as `max` if it misses `max` by at most this share of a step: 0.1 + 0.2 is not 0.3. */
const stepTolerance = 1e-9;

const steppedShape = ({ min, max }: Range, step: number): Shape => {
  const last = Math.floor((max - min) / step + stepTolerance);
  const endsAtMax = Math.abs(max - (min + last * step)) <= stepTolerance * step;
  const at = (index: number): number => {
    if (index === 0) return min;
    if (index === last && endsAtMax) return max;
    return clamp(Number((min + index * step).toPrecision(15)), min, max);
  };
  return evenCells('ordered', last + 1, at, (value) =>
    typeof value === 'number' ? Math.round((value - min) / step) : -1,
  );
};

/** The whole numbers from min to max. The cell of n is [n − ½, n + ½) on the log scale. */
const logWholeShape = ({ min, max }: Range): Shape => {
  const [low, high] = [min - 0.5, max + 0.5];
  const shareAt = (value: number): number => clamp(Math.log(value / low) / Math.log(high / low), 0, 1);
  return {
    kind: 'ordered',
    size: max - min + 1,
    at: (index) => min + index,
    valueAt: (share) => clamp(Math.round(low * (high / low) ** share), min, max),
    cellOf: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? { low: shareAt(value - 0.5), high: shareAt(value + 0.5) }
        : null,
  };
};

const shapeOf = ({ dimension, isWhole = false }: Variable): Shape => {
  if (!isRange(dimension)) return listShape(Array.isArray(dimension) ? dimension : [dimension]);
  const { min, max, step, count, scale } = dimension;
  if (min === max) return listShape([min]);
  if (count !== undefined) {
    const numbers = Array.from({ length: count }, (_, index) => numberAt(dimension, index / (count - 1)));
    return listShape(isWhole ? numbers.map(Math.round) : numbers);
  }
  if (step !== undefined) return steppedShape(dimension, step);
  if (!isWhole) return continuousShape(dimension);
  return scale === 'log' ? logWholeShape(dimension) : steppedShape(dimension, 1);
};

export const refuse = (path: string, expected: string, received: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${received}`, {
    issues: [{ path, expected, received }],
  });
};

/** The values of an axis in an error: at most these many, else only that there are some. */
const maxListed = 10;

/** `a value of gamma in the space (1, 5, 25)` */
const valueIn = ({ size, at }: Shape, name: string): string => {
  const values = at && size <= maxListed ? Array.from({ length: size }, (_, index) => at(index)) : [];
  return `a value of ${name} in the space${values.length > 0 ? ` (${values.map(abbreviate).join(', ')})` : ''}`;
};

const axisOf = (variable: Variable): Axis => {
  const { name, readWhere } = variable;
  const shape = shapeOf(variable);
  return {
    ...shape,
    name,
    has: (value) => shape.cellOf(value) !== null,
    cellOf: (value) =>
      shape.cellOf(value) ?? refuse(`space.${name}`, valueIn(shape, name), abbreviate(value)),
    ...(readWhere && { readWhere }),
  };
};

/**
 * The axes of a space, in its order. Throws INVALID_REQUEST for a space without variables or with too many, for a name that comes twice, and
 * for a condition on a variable that does not come earlier.
 */
export const axesOf = (space: Space): readonly Axis[] => {
  if (space.length === 0 || space.length > maxAxes)
    refuse('space', `1 to ${maxAxes} hyperparameters`, String(space.length));
  const names = new Set<string>();
  for (const { name, readWhere } of space) {
    if (names.has(name)) refuse(`space.${name}`, 'each hyperparameter once', `${name} twice`);
    if (readWhere && !names.has(readWhere.variable))
      refuse(`space.${name}`, `${readWhere.variable} before ${name}`, 'another order');
    names.add(name);
  }
  return space.map(axisOf);
};

export const isRead = ({ readWhere }: Axis, point: Point): boolean => {
  if (!readWhere) return true;
  const value = point[readWhere.variable];
  return value !== undefined && readWhere.values.includes(value);
};

/** Chooses the value of each axis that is read, in the order of the axes: a choice sees the values before it. */
export const choosePoint = (
  axes: readonly Axis[],
  choose: (axis: Axis, index: number) => HyperparameterValue,
): Point => {
  const point: Record<string, HyperparameterValue> = {};
  for (const [index, axis] of axes.entries()) if (isRead(axis, point)) point[axis.name] = choose(axis, index);
  return point;
};

/** The point at these shares, one for each axis. */
export const pointAt = (axes: readonly Axis[], shares: ArrayLike<number>): Point =>
  choosePoint(axes, (axis, index) => axis.valueAt(shares[index]!));

/**
 * The point of a user, with the values of axes that have only one. `path`: of the point in the request. Throws INVALID_REQUEST for a value that
 * is missing, that is not on its axis, or that is not read.
 */
export const checkPoint = (axes: readonly Axis[], point: Point, path = 'point'): Point => {
  const complete = choosePoint(axes, (axis) => {
    const { name, size, at, has } = axis;
    const value = point[name] ?? (size === 1 ? at!(0) : undefined);
    if (value === undefined) return refuse(path, `a value of ${name}`, 'none');
    return has(value) ? value : refuse(`${path}.${name}`, valueIn(axis, name), abbreviate(value));
  });
  const read = Object.keys(complete);
  for (const name of Object.keys(point))
    if (!read.includes(name))
      refuse(
        `${path}.${name}`,
        `a hyperparameter of this point: ${didYouMean(name, read) ?? read.join(', ')}`,
        `the key ${abbreviate(name)}`,
      );
  return complete;
};

/** The point with these values on the axes that it reads; null if a value is missing, or is not on its axis. */
export const pointFrom = (
  axes: readonly Axis[],
  read: (name: string) => HyperparameterValue | undefined,
): Point | null => {
  let isInside = true;
  const point = choosePoint(axes, ({ name, has, valueAt }) => {
    const value = read(name);
    if (value !== undefined && has(value)) return value;
    isInside = false;
    return valueAt(0);
  });
  return isInside ? point : null;
};

/** The middle of the cell of each axis; NaN for an axis that is not read. */
export const sharesOf = (axes: readonly Axis[], point: Point): Float64Array =>
  Float64Array.from(axes, (axis) => {
    const value = point[axis.name];
    if (value === undefined) return Number.NaN;
    const { low, high } = axis.cellOf(value);
    return (low + high) / 2;
  });

/** Equal for equal points. */
export const keyOf = (axes: readonly Axis[], point: Point): string =>
  JSON.stringify(axes.map(({ name }) => point[name] ?? null));

/** Every point of the space, or null if the space has more than `max` points. */
export const allPoints = (axes: readonly Axis[], max: number): readonly Point[] | null => {
  let points: Point[] = [{}];
  for (const axis of axes) {
    const { name, size, at } = axis;
    if (at === null || size > max) return null;
    const values = Array.from({ length: size }, (_, index) => at(index));
    points = points.flatMap((point) =>
      isRead(axis, point) ? values.map((value) => ({ ...point, [name]: value })) : [point],
    );
    if (points.length > max) return null;
  }
  return points;
};
