/**
 * Values that clients send. This file shows them in error texts, and refuses those that are never allowed.
 *
 * A value may be a megabyte. An error text shows its first 100 characters, and the function that makes the text reads only these.
 */
import { AppError } from '@funnel/contracts';
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

/** Characters of a MALFORMED_BODY message. Parsers quote the text that they could not read, which may be the whole body. */
const maxMessage = 500;

export const malformed = (message: string, cause?: unknown): AppError =>
  new AppError('MALFORMED_BODY', cut(message, maxMessage), {}, { cause });

/**
 * Returns the value of `parse`. If `parse` throws, this function throws MALFORMED_BODY with the same message. `format` names the expected
 * format.
 */
export const parseAs = <T>(format: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed(
      `Expected ${format}, but: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
};

/** The largest number of levels of nesting. A sweep file has fewer than ten. */
const maxDepth = 32;

/** PostgreSQL stores neither NUL nor one half of a surrogate pair. */
export const isStorable = (text: string): boolean =>
  !/[\0\ud800-\udfff]/.test(text) || !/[\0\p{Surrogate}]/u.test(text); // the first test is fast, but also finds whole pairs

const checkText = (text: string): void => {
  if (!isStorable(text))
    throw malformed('Expected text without NUL and without half surrogate pairs, but got one of them');
};

/**
 * Throws MALFORMED_BODY for a text that PostgreSQL cannot store, for a key `__proto__`, and for more than 32 levels. Goes level by
 * level and not by recursion, so that deep nesting cannot overflow the stack. Returns the number of keys in all objects.
 */
export const checkPlainData = (value: unknown): number => {
  let keys = 0;
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth)
      throw malformed(`Expected at most ${maxDepth} levels, but the body is nested deeper`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'string') checkText(item);
      if (typeof item !== 'object' || item === null) continue;
      if (Array.isArray(item)) {
        for (const member of item) next.push(member);
        continue;
      }
      for (const key of Object.keys(item)) {
        if (key === '__proto__') throw malformed('Expected plain keys, but got "__proto__"');
        checkText(key);
        keys += 1;
        next.push((item as Readonly<Record<string, unknown>>)[key]);
      }
    }
    level = next;
  }
  return keys;
};
