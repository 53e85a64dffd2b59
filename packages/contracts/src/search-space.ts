/**
 * A search space gives each hyperparameter a value, a list of values, or a range. Its schema derives from the declarations of the
 * hyperparameters. The ends of a range must be values of the hyperparameter, so no check of the points between is necessary.
 */
import { z } from 'zod';
import { readFractions, settingsJsonSchema } from './fractions.ts';
import {
  type HyperparameterName,
  type HyperparameterValue,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparameters,
  isNumeric,
  type NumericHyperparameter,
} from './hyperparameters.ts';
import { evenAfterFaults, rightParts } from './right-parts.ts';

/**
 * `{ min, max, step }` goes from min to max in equal steps and includes max when a step meets it. `{ min, max, count, scale }` places
 * `count` points evenly on a linear or logarithmic axis, including both ends. `{ min, max, scale }` alone is continuous, for random search
 * only.
 */
export const Range = z
  .strictObject({
    min: z.number(),
    max: z.number(),
    step: z.number().gt(0).optional(),
    count: z.int().min(2).max(100_000).optional(),
    scale: z.enum(['linear', 'log']).default('linear'),
  })
  .superRefine((range, context) => {
    const isRight = rightParts(context.issues);
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, input: range });
    if (isRight('min') && isRight('max') && !(range.min <= range.max))
      fault('max', `Expected min <= max, but got min=${range.min}, max=${range.max}`);
    if (range.step !== undefined && range.count !== undefined)
      fault('count', 'Expected a step or a count, but got both');
    if (range.scale === 'log' && range.step !== undefined)
      fault('step', 'Expected a count with a log scale, but got a step');
    if (range.scale === 'log' && isRight('min') && !(range.min > 0))
      fault('min', `Expected min > 0 on a log scale, but got ${range.min}`);
  }, evenAfterFaults);
export type Range = z.infer<typeof Range>;

/** Whether the hyperparameter takes any number, so that a fraction such as `8/255` may be written for it. */
export const isReal = (name: HyperparameterName): boolean => hyperparameterDeclaration(name).kind === 'real';

/** The schema of one hyperparameter in a search space. It has no default: a hyperparameter that is not named stays absent. */
const dimension = (name: HyperparameterName) => {
  const value: z.ZodType<HyperparameterValue> = hyperparameters[name].unwrap();
  const list = z.array(value).min(1, 'Expected at least one value, but got an empty list').max(10_000);
  const written = isNumeric(hyperparameterDeclaration(name))
    ? z.union([value, list, Range])
    : z.union([value, list]);
  const meta = { ...hyperparameters[name].meta() };
  if (!isReal(name)) return written.optional().meta(meta);
  return z
    .preprocess(readFractions, written)
    .optional()
    .meta({
      ...meta,
      // The fractions show in no JSON Schema. Made when a JSON Schema is asked for, because few programs do.
      get anyOf() {
        return settingsJsonSchema(written).anyOf;
      },
    });
};

export type Dimension = HyperparameterValue | readonly HyperparameterValue[] | Range;
type Written = z.input<typeof Range>;
/** A range as users write it: it may omit its scale, and its numbers may be fractions as text, such as `8/255`. */
type WrittenRange = Omit<Written, 'min' | 'max' | 'step'> & {
  readonly [Key in 'min' | 'max' | 'step']: Written[Key] | `${number}/${number}`;
};
/** A dimension as users write it. A text may be a fraction. */
export type DimensionInput = HyperparameterValue | readonly HyperparameterValue[] | Written | WrittenRange;

// `fromEntries` forgets the type of each key; the keys are the names of the hyperparameters by construction.
const shape = Object.fromEntries(hyperparameterNames.map((name) => [name, dimension(name)])) as unknown as {
  [K in HyperparameterName]: z.ZodOptional<z.ZodType<Dimension, DimensionInput>>;
};

export const SearchSpace = z.strictObject(shape).meta({
  title: 'Search space',
  description:
    'Each hyperparameter: a value, a list, or a range. A number that is not whole may be a fraction, such as "8/255". Hyperparameters that are not named keep their defaults.',
});
export type SearchSpace = { readonly [K in HyperparameterName]?: Dimension };

export const isRange = (dimension: Dimension): dimension is Range =>
  typeof dimension === 'object' && !Array.isArray(dimension);

type RangeFault = { readonly path: keyof Range; readonly expected: string };

/** Numbers below `minNormal` have fewer digits than the points of a range need. A ratio above `maxRatio` is close to overflow. */
const minNormal = 2 ** -1022;
const maxRatio = 1e300;

const endFault = ({ kind, bounds }: NumericHyperparameter, value: number): string | null => {
  if (value !== 0 && Math.abs(value) < minNormal) return `at least ${minNormal}`;
  if (kind === 'whole' && !Number.isInteger(value)) return 'a whole number';
  if (value > bounds.max) return `at most ${bounds.max}`;
  if ('above' in bounds) return value > bounds.above ? null : `more than ${bounds.above}`;
  return value >= bounds.min ? null : `at least ${bounds.min}`;
};

/** Points are rounded to 15 digits for a step and to 12 for a count. Neighbours must differ after the rounding. */
const stepDigits = 1e-14;
const countDigits = 1e-11;

const spacingFault = ({ min, max, step, count, scale }: Range): RangeFault | null => {
  if (min >= max) return null; // one point; `Range` refuses min > max
  if (scale === 'log' && min > 0 && !Number.isFinite(max / min))
    return { path: 'min', expected: `at least ${max / maxRatio} on a log scale` };
  const maxEnd = Math.max(Math.abs(min), Math.abs(max));
  if (step !== undefined && step < maxEnd * stepDigits)
    return { path: 'step', expected: `a step of at least ${maxEnd * stepDigits}` };
  if (count === undefined) return null;
  const length = scale === 'log' ? Math.log(max / min) : (max - min) / maxEnd;
  const maxCount = Math.floor(length / countDigits) + 1;
  if (count <= maxCount) return null;
  return maxCount < 2
    ? { path: 'max', expected: 'an end that differs from `min` in more than the last digits' }
    : { path: 'count', expected: `at most ${maxCount} points in so small a range` };
};

/**
 * The reasons why a hyperparameter refuses a well-formed range: faults of its ends, or if the ends are right, a fault of its step or count.
 */
export const rangeFaults = (hyperparameter: NumericHyperparameter, range: Range): readonly RangeFault[] => {
  const ends = (['min', 'max'] as const).flatMap((path) => {
    const expected = endFault(hyperparameter, range[path]);
    return expected ? [{ path, expected }] : [];
  });
  if (ends.length > 0) return ends;
  if (hyperparameter.kind === 'whole')
    return Number.isInteger(range.step ?? 1) ? [] : [{ path: 'step', expected: 'a whole number' }];
  const fault = spacingFault(range);
  return fault ? [fault] : [];
};
