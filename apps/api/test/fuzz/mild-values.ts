/**
 * Mild values: those that a JSON Schema accepts, at its bounds and next to them. They get behind the schema, where wild values (`wild-values.ts`)
 * are refused.
 */
import { type Schema, textsMatching } from './generate-value.ts';

type Resolve = (ref: string) => Schema;

const distinct = <T>(values: readonly T[]): readonly T[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];

/** Real numbers above an excluded bound begin here. */
const smallStep = 1e-6;

const boundsOf = ({ type, minimum, exclusiveMinimum, maximum }: Schema): readonly [number, number] => {
  const step = type === 'integer' ? 1 : smallStep;
  // One is a value of every hyperparameter, so it suits the ends of a range, which have no bounds of their own.
  const low = minimum ?? (exclusiveMinimum === undefined ? 1 : exclusiveMinimum + step);
  return [low, maximum ?? low + 1];
};

const numbersOf = (schema: Schema): readonly number[] => {
  const [low, high] = boundsOf(schema);
  if (schema.type !== 'integer') return [low, (low + high) / 2, high * (1 - smallStep), high];
  return [low, low + 1, high - 1, high].filter((value) => value >= low && value <= high);
};

const textsOf = ({ pattern, minLength = 0, maxLength = 200 }: Schema): readonly string[] => {
  if (pattern) return textsMatching(pattern);
  return [
    'x'.repeat(Math.max(1, minLength)),
    '雪 γ',
    'x'.repeat(maxLength),
    ...(minLength === 0 ? [''] : []),
  ];
};

/** As many different elements as the list may have. */
const longest = (items: Schema, maxItems: number, members: readonly unknown[]): readonly unknown[] => {
  if (items.type !== 'number' && items.type !== 'integer') return members.slice(0, maxItems);
  const [low, high] = boundsOf(items);
  const step = items.type === 'integer' ? 1 : (high - low) / maxItems;
  return Array.from({ length: maxItems }, (_, i) => low + i * step).filter((value) => value <= high);
};

/** The smallest value in every place, and each value of a place beside them. */
const tuplesOf = (places: readonly Schema[], resolve: Resolve): readonly unknown[] => {
  const smallest = places.map((place) => mildValues(place, resolve)[0]);
  return [
    smallest,
    ...places.flatMap((place, at) => mildValues(place, resolve).map((value) => smallest.with(at, value))),
  ];
};

const listsOf = (
  { items: declared, prefixItems, minItems = 0, maxItems = 100 }: Schema,
  resolve: Resolve,
): readonly unknown[] => {
  if (prefixItems) return tuplesOf(prefixItems, resolve);
  const items = declared || {};
  const members = mildValues(items, resolve);
  return [
    members.slice(0, Math.max(1, minItems)),
    members.slice(-2),
    longest(items, maxItems, members),
    ...(minItems === 0 ? [[]] : []),
  ];
};

const objectsOf = ({ properties = {}, required = [] }: Schema, resolve: Resolve): readonly unknown[] => {
  const of = (keys: readonly string[]) =>
    Object.fromEntries(keys.map((key) => [key, mildValues(properties[key]!, resolve)[0]]));
  return [of(required), of(Object.keys(properties))];
};

const known = new WeakMap<Schema, readonly unknown[]>();

/** The smallest value comes first. */
export const mildValues = (schema: Schema, resolve: Resolve): readonly unknown[] => {
  const made = known.get(schema);
  if (made) return made;
  const values = distinct(valuesOf(schema, resolve));
  known.set(schema, values);
  return values;
};

const valuesOf = (schema: Schema, resolve: Resolve): readonly unknown[] => {
  const { $ref, anyOf, oneOf, allOf, type } = schema;
  if ($ref) return mildValues(resolve($ref), resolve);
  if (schema.const !== undefined) return [schema.const];
  if (schema.enum) return schema.enum;
  const options = anyOf ?? oneOf ?? allOf;
  if (options) return options.flatMap((option) => mildValues(option, resolve));
  if (type === 'object') return objectsOf(schema, resolve);
  if (type === 'array') return listsOf(schema, resolve);
  if (type === 'number' || type === 'integer') return numbersOf(schema);
  if (type === 'string') return textsOf(schema);
  if (type === 'null') return [null];
  return [false, true];
};
