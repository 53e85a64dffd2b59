/** The values that one knob takes: a grid walks them, random search draws from them. */
import {
  AppError,
  type Dimension,
  type HyperparameterName,
  hyperparameters,
  type KnobValue,
  type Range,
} from '@funnel/contracts';

const isRange = (dimension: Dimension): dimension is Range =>
  typeof dimension === 'object' && !Array.isArray(dimension);
const isList = (dimension: Dimension): dimension is readonly KnobValue[] => Array.isArray(dimension);

/** A knob that refuses 1.5 but takes 1 counts in whole numbers: points of its ranges are rounded. */
const isWhole = (name: HyperparameterName): boolean => {
  const schema = hyperparameters[name];
  return schema.safeParse(1).success && !schema.safeParse(1.5).success && !schema.safeParse('1').success;
};

const checked = (name: HyperparameterName, value: KnobValue): KnobValue => {
  const result = hyperparameters[name].safeParse(value);
  if (result.success) return result.data;
  const message = result.error.issues[0]?.message ?? 'refused';
  throw new AppError('INVALID_REQUEST', `${message}, but got ${value}`, {
    issues: [{ path: `space.${name}`, expected: message, received: String(value) }],
  });
};

/** A step that misses `max` by less than this share of a step still lands on it: 0.1 + 0.2 is not 0.3. */
const slack = 1e-9;

const pointsOf = (range: Range): number | null => {
  if (range.min === range.max) return 1;
  if (range.count !== undefined) return range.count;
  if (range.step !== undefined) return Math.floor((range.max - range.min) / range.step + slack) + 1;
  return null;
};

const pointAt = (range: Range, i: number, points: number): number => {
  if (points === 1) return range.min;
  if (range.step !== undefined) return Number((range.min + i * range.step).toPrecision(15));
  const share = i / (points - 1);
  return betweenAt(range, share);
};

/** The point at a share of the way from min to max, on the range's own axis; both ends exact. */
const betweenAt = (range: Range, share: number): number => {
  if (share === 0) return range.min;
  if (share === 1) return range.max;
  const value =
    range.scale === 'log'
      ? range.min * (range.max / range.min) ** share
      : range.min + (range.max - range.min) * share;
  return Number(value.toPrecision(12));
};

/** How many values a grid walks; null for a continuous range. Costs nothing however many there are. */
export const countValues = (dimension: Dimension): number | null =>
  isRange(dimension) ? pointsOf(dimension) : isList(dimension) ? dimension.length : 1;

/**
 * The values of a knob in order, each once. Throws CONTINUOUS_GRID for a range without step or count, and INVALID_REQUEST for a point
 * that the knob refuses. Call it only after the count was checked.
 */
export const listValues = (name: HyperparameterName, dimension: Dimension): readonly KnobValue[] => {
  if (isList(dimension)) return [...new Set(dimension)];
  if (!isRange(dimension)) return [dimension];
  const points = pointsOf(dimension);
  if (points === null)
    throw new AppError(
      'CONTINUOUS_GRID',
      `Expected a step or a count for the range of ${name}, since a grid cannot walk a continuous range`,
      {
        issues: [
          { path: `space.${name}`, expected: 'a step or a count', received: JSON.stringify(dimension) },
        ],
      },
    );
  const round = isWhole(name) ? Math.round : (x: number) => x;
  const values = Array.from({ length: points }, (_, i) =>
    checked(name, round(pointAt(dimension, i, points))),
  );
  return [...new Set(values)];
};

/** One value, `uniform` in [0, 1) deciding which. */
export const drawValue = (name: HyperparameterName, dimension: Dimension, uniform: number): KnobValue => {
  if (isRange(dimension) && pointsOf(dimension) === null) {
    const value = betweenAt(dimension, uniform);
    return checked(name, isWhole(name) ? Math.round(value) : value);
  }
  const values = listValues(name, dimension);
  return values[Math.floor(uniform * values.length)]!;
};
