/** Which keys a schema knows at a path, so that a misspelt one can be answered with the one that was meant. */
import { z } from 'zod';

/** The schemas that may stand where this one stands: wrappers taken off, unions spread. */
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

/** An option of a union that fixes a key to another value than the input has there is not meant. */
const fits = (schema: z.ZodType, input: unknown): boolean =>
  !(schema instanceof z.ZodObject) ||
  !isObjectLike(input) ||
  Object.entries(schema.shape).every(
    ([key, member]) =>
      !(member instanceof z.ZodLiteral) || !(key in input) || member.values.has(input[key] as never),
  );

const step = (schema: z.ZodType, part: PropertyKey): readonly z.ZodType[] => {
  if (schema instanceof z.ZodArray) return [schema.element as z.ZodType];
  if (schema instanceof z.ZodObject && Object.hasOwn(schema.shape, part))
    return [schema.shape[part as string] as z.ZodType];
  return [];
};

/** The keys of the object at `path`, `input` choosing among the options of unions on the way. */
export const knownKeysAt = (
  schema: z.ZodType,
  path: readonly PropertyKey[],
  input: unknown,
): readonly string[] => {
  let schemas = alternatives(schema);
  let here = input;
  for (const part of path) {
    schemas = schemas.filter((s) => fits(s, here)).flatMap((s) => step(s, part).flatMap(alternatives));
    here = isObjectLike(here) ? here[part] : undefined;
  }
  const objects = schemas.filter((s) => s instanceof z.ZodObject && fits(s, here));
  return [...new Set(objects.flatMap((s) => Object.keys((s as z.ZodObject).shape)))];
};

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`: optimal string alignment. */
const distance = (a: string, b: string): number => {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
};

/** Edits after which a word is no longer taken for `name`: a third of it written differently. */
const maxEdits = (name: string): number => Math.max(1, Math.floor(name.length / 3));

/** The name that was probably meant. Each edit changes the length by one at most, so only names of about this length are compared. */
export const nearest = (word: string, names: readonly string[]): string | null => {
  const ranked = names
    .filter((name) => Math.abs(name.length - word.length) <= maxEdits(name))
    .map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= maxEdits(best.name) ? best.name : null;
};
