/**
 * Values that people write, as error texts show them.
 *
 * A value may be a megabyte. An error text shows its first 100 characters, and the function that makes the text reads only these.
 */
import type { z } from 'zod';

/** Characters of a value that an error text shows. */
const maxShown = 100;

/** The first `length` characters; `…` marks that the rest is missing. */
export const cut = (text: string, length = maxShown): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/**
 * The start of `JSON.stringify(value)`. A text of at most `room` characters is complete; of a longer text, a little more than `room`
 * characters are returned.
 */
const jsonStart = (value: unknown, room: number): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room + 1));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const isList = Array.isArray(value);
  let text = isList ? '[' : '{';
  for (const key in value) {
    if (text.length > room) return text;
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (!isList && member === undefined) continue;
    if (text.length > 1) text += ',';
    if (!isList) text += `${jsonStart(key, room - text.length)}:`;
    text += jsonStart(member, Math.max(0, room - text.length));
  }
  return `${text}${isList ? ']' : '}'}`;
};

/** A value as an error text shows it. */
export const describeValue = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && value.length === 0) return 'an empty list';
  if (typeof value === 'number') return String(value); // JSON.stringify(NaN) is null
  return cut(jsonStart(value, maxShown));
};

const typeNames: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'nothing',
};

/** A type's name in zod, in plain words. */
export const typeName = (type: string): string => typeNames[type] ?? type;

/** Zod says only "number" where a whole number is missing, and "int" of a fraction. */
export const describeWhole = ({ code, expected, inst }: z.core.$ZodRawIssue): string | undefined => {
  const isWhole = (inst as z.core.$ZodNumberFormat | undefined)?._zod.def.format === 'safeint';
  return code === 'invalid_type' && expected === 'number' && isWhole
    ? `Expected ${typeNames.int}`
    : undefined;
};

/** `space.gamma[1]`. Long keys are cut. */
export const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = cut(String(part));
    return text === '' ? key : `${text}.${key}`;
  }, '');
