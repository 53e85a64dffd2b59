/** How a value that came in is named in an error: short, and never more than a line of it. The work is as short as the answer. */
import { AppError } from '@funnel/contracts';

const longest = 100;

/** At most `length` characters, and a mark where some were left out. */
export const cut = (text: string, length = longest): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/** The beginning of `JSON.stringify(value)`: all of it where that has at most `room` characters, else more than `room`. */
const beginning = (value: unknown, room: number): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room + 1));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const isList = Array.isArray(value);
  let text = isList ? '[' : '{';
  for (const key in value) {
    if (text.length > room) return text;
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (!isList && member === undefined) continue;
    if (text.length > 1) text += ',';
    if (!isList) text += `${beginning(key, room - text.length)}:`;
    text += beginning(member, Math.max(0, room - text.length));
  }
  return `${text}${isList ? ']' : '}'}`;
};

export const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && value.length === 0) return 'an empty list';
  if (typeof value === 'number') return String(value); // JSON would make null of NaN
  return cut(beginning(value, longest));
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
export const typeName = (type: string): string => typeNames[type] ?? type;

/** "a, b or c" */
export const eitherOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** `space.gamma[1]`; a long key is cut. */
export const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = cut(String(part));
    return text === '' ? key : `${text}.${key}`;
  }, '');

/** Characters of an error's text: parsers quote what they could not read, which may be all of a body. */
const longestMessage = 500;

export const malformed = (message: string, cause?: unknown): AppError =>
  new AppError('MALFORMED_BODY', cut(message, longestMessage), {}, { cause });

/** What `parse` throws becomes a MALFORMED_BODY that says what was expected and what the parser said. */
export const parsing = <T>(expected: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed(
      `Expected ${expected}, but: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
};

/** What may come in from outside, whatever it was written in: plain data that PostgreSQL can hold and that cannot reach a prototype. */

/** No sweep nests deeper than a handful; a million brackets are not a sweep. */
const deepest = 32;

/** PostgreSQL stores neither NUL nor half of a surrogate pair. */
export const isStorable = (text: string): boolean =>
  !/[\0\ud800-\udfff]/.test(text) || !/[\0\p{Surrogate}]/u.test(text); // the first is fast and refuses whole pairs too

const checkText = (text: string): void => {
  if (!isStorable(text))
    throw malformed('Expected text without NUL and without half surrogate pairs, but got one of them');
};

/** Throws MALFORMED_BODY for what no route could take. Without recursion, so that depth costs no stack. */
export const checkPlainData = (value: unknown): void => {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw malformed(`Expected at most ${deepest} levels, but the body is nested deeper`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'string') checkText(item);
      if (typeof item !== 'object' || item === null) continue;
      if (Array.isArray(item)) {
        for (const member of item) next.push(member);
        continue;
      }
      for (const [key, member] of Object.entries(item)) {
        if (key === '__proto__') throw malformed('Expected plain keys, but got "__proto__"');
        checkText(key);
        next.push(member);
      }
    }
    level = next;
  }
};
