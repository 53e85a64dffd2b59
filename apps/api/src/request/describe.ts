/** How a value that came in is named in an error: short, and never more than a line of it. */

const longest = 100;
const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

export const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && value.length === 0) return 'an empty list';
  if (typeof value === 'number') return String(value); // JSON would make null of NaN
  return cut(JSON.stringify(value) ?? typeof value);
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

/** `space.gamma[1]` */
export const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
