/**
 * A search space gives each knob a value, a list of values, or a range. It is derived from the knobs' own declarations: what a knob
 * refuses, a point of its range is refused for too, under the same path.
 */
import { z } from 'zod';
import {
  type HyperparameterName,
  hyperparameterNames,
  hyperparameters,
  type KnobValue,
} from './hyperparameters.ts';

/**
 * `{ min, max, step }` walks linearly and includes max when a step lands on it; `{ min, max, count, scale }` places count points
 * evenly on a linear or logarithmic axis, both ends included. `{ min, max, scale }` alone is continuous: for random search only.
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
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, input: range });
    if (!(range.min <= range.max))
      fault('max', `Expected min <= max, but got min=${range.min}, max=${range.max}`);
    if (range.step !== undefined && range.count !== undefined)
      fault('count', 'Expected a step or a count, but got both');
    if (range.scale === 'log' && range.step !== undefined)
      fault('step', 'Expected a count with a log scale, but got a step');
    if (range.scale === 'log' && !(range.min > 0))
      fault('min', `Expected min > 0 on a log scale, but got ${range.min}`);
  });
export type Range = z.infer<typeof Range>;

/** The knob as it stands in a list or alone: without its default, so that absence is visible. */
const bare = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;

/** A numeric knob takes a range; a worded one does not. */
const takesRange = (name: HyperparameterName): boolean =>
  typeof hyperparameters[name].parse(undefined) === 'number';

/** One knob's part of a search space. */
const dimension = (name: HyperparameterName) => {
  const value = bare(hyperparameters[name]) as z.ZodType<KnobValue>;
  const list = z.array(value).min(1, 'Expected at least one value, but got an empty list').max(10_000);
  return (takesRange(name) ? z.union([value, list, Range]) : z.union([value, list]))
    .optional()
    .meta({ ...hyperparameters[name].meta() });
};

export type Dimension = KnobValue | readonly KnobValue[] | Range;
/** As people write it: a range may leave out its scale. */
export type DimensionInput = KnobValue | readonly KnobValue[] | z.input<typeof Range>;

// `fromEntries` forgets which key has which type; the keys are those of `hyperparameters` by construction.
const shape = Object.fromEntries(hyperparameterNames.map((name) => [name, dimension(name)])) as unknown as {
  [K in HyperparameterName]: z.ZodOptional<z.ZodType<Dimension, DimensionInput>>;
};

export const SearchSpace = z.strictObject(shape).meta({
  title: 'Search space',
  description: 'Each knob: a value, a list, or a range. What is not named keeps its default.',
});
export type SearchSpace = { readonly [K in HyperparameterName]?: Dimension };

export const Search = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal('grid') }),
  z.strictObject({
    strategy: z.literal('random'),
    trials: z.int().min(1).max(100_000).meta({ description: 'Points drawn, before seeds.' }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(0),
  }),
]);
export type Search = z.infer<typeof Search>;
