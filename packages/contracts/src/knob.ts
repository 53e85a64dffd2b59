/**
 * What the declaration of a knob says, and the schema that follows from it. Whoever wants to know a knob's kind, bounds, scale or unit reads
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

export type NumericKnob = Words &
  Axis & { readonly kind: 'real' | 'whole'; readonly bounds: Bounds; readonly default: number };
type WordKnob = Words & { readonly kind: 'word'; readonly default: string } & (
    | { readonly choices: readonly string[] }
    | { readonly pattern: string; readonly expected: string }
  );
type BooleanKnob = Words & { readonly kind: 'boolean'; readonly default: boolean };
export type Knob = NumericKnob | WordKnob | BooleanKnob;

export const isNumeric = (knob: Knob): knob is NumericKnob => knob.kind === 'real' || knob.kind === 'whole';

const numeric =
  <K extends NumericKnob['kind']>(kind: K) =>
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

const bareSchema = (knob: Knob): z.ZodType => {
  if (knob.kind === 'boolean') return z.boolean();
  if (knob.kind === 'word')
    return 'choices' in knob
      ? z.enum(knob.choices)
      : z.string().regex(new RegExp(knob.pattern), `Expected ${knob.expected}`);
  const { kind, bounds } = knob;
  const number = kind === 'whole' ? z.int() : z.number();
  return ('above' in bounds ? number.gt(bounds.above) : number.min(bounds.min)).max(bounds.max);
};

/** Takes a value of the knob, or nothing for its default. */
export const schemaOf = (knob: Knob): z.ZodDefault => {
  const { title, description, assumed, kind } = knob;
  const axis = isNumeric(knob) ? { scale: knob.scale, ...(knob.unit && { unit: knob.unit }) } : {};
  return bareSchema(knob)
    .default(knob.default)
    .meta({ title, description, kind, ...axis, ...(assumed && { assumed }) });
};
