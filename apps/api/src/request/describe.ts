/** How a value that came in is named in an error: short, and never more than a line of it. The work is as short as the answer. */

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
