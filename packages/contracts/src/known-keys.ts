/** Finds the keys that a schema has at a path, and says which of them an unknown key may stand for. */
import { z } from 'zod';
import { withPresetAsAttack } from './attacks.ts';
import { didYouMean, joinWithOr, resembling } from './did-you-mean.ts';
import { hyperparameterNames } from './hyperparameters.ts';
import { SearchSpace } from './search-space.ts';
import { describeValue } from './show-value.ts';
import { hyperparametersReadBy } from './sweep-faults.ts';

/** The schemas that `schema` stands for: itself without its wrappers (optional, default, …), or every option if it is a union. */
const alternatives = (schema: z.ZodType): readonly z.ZodType[] => {
  if (schema instanceof z.ZodUnion)
    return schema.options.flatMap((option) => alternatives(option as z.ZodType));
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  )
    return alternatives(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe)
    return [...alternatives(schema.in as z.ZodType), ...alternatives(schema.out as z.ZodType)];
  return [schema];
};

const isObjectLike = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
  typeof value === 'object' && value !== null;

/** Whether the user may have meant this option of a union. False when `input` has another value than a literal of the schema. */
const mayMatch = (schema: z.ZodType, written: unknown, input = withPresetAsAttack(written)): boolean =>
  !(schema instanceof z.ZodObject) ||
  !isObjectLike(input) ||
  Object.entries(schema.shape).every(
    ([key, member]) =>
      !(member instanceof z.ZodLiteral) || !(key in input) || member.values.has(input[key] as never),
  );

/** The schemas of the member `part`. */
const memberSchemas = (schema: z.ZodType, part: PropertyKey): readonly z.ZodType[] => {
  if (schema instanceof z.ZodArray) return [schema.element as z.ZodType];
  if (schema instanceof z.ZodObject && Object.hasOwn(schema.shape, part))
    return [schema.shape[part as string] as z.ZodType];
  return [];
};

/** The schemas at `path`, with their wrappers. */
export const membersAt = (
  schema: z.ZodType,
  path: readonly PropertyKey[],
  input: unknown,
): readonly z.ZodType[] => {
  const last = path.at(-1);
  if (last === undefined) return [schema];
  const { schemas, here } = schemasAt(schema, path.slice(0, -1), input);
  return schemas.filter((s) => mayMatch(s, here)).flatMap((s) => memberSchemas(s, last));
};

/** The schemas at `path`, and the part of `input` there. Literals in `input` choose among the options of unions. */
const schemasAt = (schema: z.ZodType, path: readonly PropertyKey[], input: unknown) => {
  let schemas = alternatives(schema);
  let here = input;
  for (const part of path) {
    schemas = schemas
      .filter((s) => mayMatch(s, here))
      .flatMap((s) => memberSchemas(s, part).flatMap(alternatives));
    here = isObjectLike(here) ? here[part] : undefined;
  }
  return { schemas, here };
};

/** Whether an unknown key of the object resembles `part`. */
const mayMean = (input: object, known: readonly string[], part: string): boolean =>
  Object.keys(input).some((key) => !known.includes(key) && resembling(key, known).includes(part));

/**
 * The keys that `schema` knows for the object at `path`. Of a search space these are the hyperparameters that the recipes read, or all of them
 * where a recipe, or the key `recipes`, is not known.
 */
const knownKeysAt = (schema: z.ZodType, path: readonly PropertyKey[], input: unknown): readonly string[] => {
  const { schemas, here } = schemasAt(schema, path, input);
  if (schemas.includes(SearchSpace) && isObjectLike(input)) {
    const isKeyWrong =
      path.length > 0 &&
      input.recipes === undefined &&
      mayMean(input, knownKeysAt(schema, [], input), 'recipes');
    return isKeyWrong ? hyperparameterNames : hyperparametersReadBy(input.recipes);
  }
  const objects = schemas.filter((s) => s instanceof z.ZodObject && mayMatch(s, here));
  return [...new Set(objects.flatMap((s) => Object.keys((s as z.ZodObject).shape)))];
};

/** The key of a member of an object, and the keys of this member that a key beside it may stand for. */
type Inner = { readonly member: string; readonly keys: readonly string[] };

/** The member that knows a key which stands beside it: `gamma` belongs in `space`, and so does `learning_rate`, in other words. */
const innerKeys = (key: string, members: readonly Inner[]): Inner | null => {
  const exact = members.find(({ keys }) => keys.includes(key));
  if (exact) return { ...exact, keys: [key] };
  const alike = members.map(({ member, keys }) => ({ member, keys: resembling(key, keys) }));
  return alike.find(({ keys }) => keys.length > 0) ?? null;
};

/** The given value if the object at `parent` takes it for this key; otherwise a word that it takes and that resembles the value, or all words. */
const valueFor = (
  schema: z.ZodType,
  [parent, key]: readonly [parent: readonly PropertyKey[], key: string],
  [input, given]: readonly [input: unknown, given: unknown],
): string => {
  const objects = schemasAt(schema, parent, input).schemas.filter((s) => s instanceof z.ZodObject);
  const places = objects.flatMap((s) => memberSchemas(s, key));
  if (places.length === 0 || places.some((place) => place.safeParse(given).success))
    return describeValue(given);
  const words = places
    .flatMap(alternatives)
    .flatMap((place) => (place instanceof z.ZodEnum ? (place.options as string[]) : []));
  const meant = typeof given === 'string' ? resembling(given, words) : [];
  return joinWithOr((meant.length > 0 ? meant : words.slice(0, maxWords)).map(describeValue)) || '…';
};

/** More words than these would not help. */
const maxWords = 8;

/** The schemas of the keys that an unknown key of the object at `parent` resembles. */
export const meantSchemas = (
  schema: z.ZodType,
  parent: readonly PropertyKey[],
  input: unknown,
  key: string,
): readonly z.ZodType[] => {
  const { schemas } = schemasAt(schema, parent, input);
  const names = resembling(key, knownKeysAt(schema, parent, input));
  return names.flatMap((name) => schemas.flatMap((each) => memberSchemas(each, name)));
};

/** `expected` of an unknown key of the object at `parent`, with the given value. */
export const expectedKey = (
  schema: z.ZodType,
  parent: readonly PropertyKey[],
  input: unknown,
): ((key: string, given: unknown) => string) => {
  const known = knownKeysAt(schema, parent, input);
  const members = known.map((member) => ({ member, keys: knownKeysAt(schema, [...parent, member], input) }));
  return (key, given) => {
    const suggestion = didYouMean(key, known);
    if (suggestion) return `a known key (${suggestion})`;
    const inner = innerKeys(key, members);
    if (inner) {
      const name = inner.keys.at(-1)!;
      const value = valueFor(schema, [[...parent, inner.member], name], [input, given]);
      const example = `${inner.member}: { ${name}: ${value} }`;
      return inner.keys.length > 1 ? `${example} (${didYouMean(key, inner.keys)})` : example;
    }
    return known.length > 0 ? `one of ${known.join(', ')}` : 'no such key';
  };
};
