/** Values that match a JSON Schema of the OpenAPI document, or nearly match it. */
import { type Random, strangeText, strangeValue } from './strange-values.ts';

export type Schema = {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly type?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** The elements of a list; false after `prefixItems`. */
  readonly items?: Schema | false;
  /** The elements of a list of fixed length, one by one. */
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
};

export type Generator = {
  readonly random: Random;
  readonly resolve: (ref: string) => Schema;
};

/** Small numbers, so that accepted sweeps stay small: this is no load test. */
const numberFor = ({ random }: Generator, schema: Schema): number => {
  const low = schema.minimum ?? (schema.exclusiveMinimum !== undefined ? schema.exclusiveMinimum + 1e-6 : 0);
  const high = Math.min(schema.maximum ?? Number.POSITIVE_INFINITY, low + 4);
  const value = low + random.next() * (high - low);
  return schema.type === 'integer' ? Math.min(high, Math.round(value)) : value;
};

/** Texts that match the pattern of a hyperparameter, a filter of hyperparameters, a fraction, a digest, the name of a data set, a tag, or the id of an event. */
export const textsMatching = (pattern: string): readonly string[] => {
  if (pattern.startsWith('^[1-9]')) return ['8', '16-32', '8-8-8-8-8'];
  if (pattern.includes('a-zA-Z')) return ['gamma:1', 'beta:0..1', 'filters:8'];
  if (pattern.includes('{64}')) return ['ab'.repeat(32), '0123456789abcdef'.repeat(4)];
  if (pattern.includes('{0,39}')) return ['baseline', 'paper/v2', 'eps:0.1'];
  if (pattern.includes('{0,62}')) return ['glyphs', 'mnist', 'nobody.has-it'];
  if (pattern.includes('/')) return ['8/255', '1/2'];
  return ['0-0', '17-4', '999999999999999999-999999999999999999'];
};

const textFor = ({ random }: Generator, schema: Schema): string =>
  schema.pattern
    ? random.pick(textsMatching(schema.pattern))
    : 'x'.repeat(Math.max(1, schema.minLength ?? 1));

const objectFor = (
  generator: Generator,
  { properties = {}, required = [] }: Schema,
): Record<string, unknown> => {
  const { random } = generator;
  const optional = Object.keys(properties).length > 12 ? 0.12 : 0.4;
  const keys = Object.keys(properties).filter((key) => required.includes(key) || random.chance(optional));
  return Object.fromEntries(keys.map((key) => [key, valueFor(generator, properties[key]!)]));
};

export const valueFor = (generator: Generator, schema: Schema): unknown => {
  const { random } = generator;
  if (schema.$ref) return valueFor(generator, generator.resolve(schema.$ref));
  if (schema.default !== undefined && random.chance(0.3)) return schema.default;
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return valueFor(generator, random.pick(options));
  if (schema.enum) return random.pick(schema.enum);
  if (schema.const !== undefined) return schema.const;
  if (schema.type === 'object') return objectFor(generator, schema);
  if (schema.prefixItems) return schema.prefixItems.map((item) => valueFor(generator, item));
  if (schema.type === 'array') {
    const count = Math.max(schema.minItems ?? 0, random.below(3));
    return Array.from({ length: count }, () => valueFor(generator, schema.items || {}));
  }
  if (schema.type === 'number' || schema.type === 'integer') return numberFor(generator, schema);
  if (schema.type === 'boolean') return random.chance(0.5);
  if (schema.type === 'null') return null;
  return textFor(generator, schema);
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy of the value with one change somewhere. */
export const mutate = (random: Random, value: unknown): unknown => {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.7)) {
    const at = random.below(value.length);
    return value.map((item, i) => (i === at ? mutate(random, item) : item));
  }
  if (!isRecord(value) || Object.keys(value).length === 0) return strangeValue(random);
  const key = random.pick(Object.keys(value));
  const { [key]: member, ...rest } = value;
  return random.pick<() => unknown>([
    () => rest,
    () => ({ ...rest, [`${key}s`]: member }),
    () => ({ ...value, [strangeText(random)]: member }),
    () => ({ ...value, [key]: strangeValue(random) }),
    () => ({ ...value, [key]: mutate(random, member) }),
    () => ({ ...value, [key]: mutate(random, member) }),
    () => strangeValue(random),
  ])();
};
