/**
 * What the declaration of a hyperparameter says, and the schema that follows from it. Whoever wants to know a hyperparameter's kind, bounds, scale or unit reads
 * them in the declaration; nothing tries values on a schema to find out.
 */
import { z } from 'zod';

type Words = {
  readonly title: string;
  readonly description: string;
  /** The value was not printed in the paper: it is our choice and reports say so. */
  readonly assumed?: true;
};

/** The largest value, and the smallest (`min`) or what every value exceeds (`above`). */
type Bounds = ({ readonly min: number } | { readonly above: number }) & { readonly max: number };

type Axis = {
  /** The axis of plots, and the spacing that the form proposes for a range. */
  readonly scale: 'linear' | 'log';
  /** What the number counts or is measured in; absent for a plain number. */
  readonly unit?: string;
};

export type NumericHyperparameter = Words &
  Axis & { readonly kind: 'real' | 'whole'; readonly bounds: Bounds; readonly default: number };
type WordHyperparameter = Words & { readonly kind: 'word'; readonly default: string } & (
    | { readonly choices: readonly string[] }
    | { readonly pattern: string; readonly expected: string }
  );
type BooleanHyperparameter = Words & { readonly kind: 'boolean'; readonly default: boolean };
export type HyperparameterDeclaration = NumericHyperparameter | WordHyperparameter | BooleanHyperparameter;

export const isNumeric = (
  hyperparameter: HyperparameterDeclaration,
): hyperparameter is NumericHyperparameter =>
  hyperparameter.kind === 'real' || hyperparameter.kind === 'whole';

const numeric =
  <K extends NumericHyperparameter['kind']>(kind: K) =>
  (bounds: Bounds, usual: number, words: Words & Partial<Axis>) =>
    ({ kind, bounds, default: usual, scale: 'linear', ...words }) as const;
export const real = numeric('real');
export const whole = numeric('whole');
export const choice = <const C extends string>(choices: readonly C[], usual: NoInfer<C>, words: Words) =>
  ({ kind: 'word', choices, default: usual, ...words }) as const;

export type ValueOf<K> = K extends { readonly kind: 'real' | 'whole' }
  ? number
  : K extends { readonly kind: 'boolean' }
    ? boolean
    : K extends { readonly choices: readonly (infer C)[] }
      ? C
      : string;

const bareSchema = (hyperparameter: HyperparameterDeclaration): z.ZodType => {
  if (hyperparameter.kind === 'boolean') return z.boolean();
  if (hyperparameter.kind === 'word')
    return 'choices' in hyperparameter
      ? z.enum(hyperparameter.choices)
      : z.string().regex(new RegExp(hyperparameter.pattern), `Expected ${hyperparameter.expected}`);
  const { kind, bounds } = hyperparameter;
  const number = kind === 'whole' ? z.int() : z.number();
  return ('above' in bounds ? number.gt(bounds.above) : number.min(bounds.min)).max(bounds.max);
};

/** Takes a value of the hyperparameter, or nothing for its default. */
export const schemaOf = (hyperparameter: HyperparameterDeclaration): z.ZodDefault => {
  const { title, description, assumed, kind } = hyperparameter;
  const axis = isNumeric(hyperparameter)
    ? { scale: hyperparameter.scale, ...(hyperparameter.unit && { unit: hyperparameter.unit }) }
    : {};
  return bareSchema(hyperparameter)
    .default(hyperparameter.default)
    .meta({ title, description, kind, ...axis, ...(assumed && { assumed }) });
};
