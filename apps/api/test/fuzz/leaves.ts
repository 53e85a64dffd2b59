/** The leaves of a JSON Schema, and requests in which some leaves have extreme values. */
import type { Operation } from './generate-request.ts';
import type { Schema } from './generate-value.ts';
import type { Random } from './strange-values.ts';

/** Keys from the root of a value to a leaf; a number is the index of an element. */
export type Path = readonly (string | number)[];

/** Every place of a schema where a value can stand: leaves, and the lists and objects above them. */
export const leavesOf = (schema: Schema, resolve: (ref: string) => Schema, path: Path = []): Path[] => {
  if (path.length > 8) return []; // no schema of the API is deeper
  if (schema.$ref) return leavesOf(resolve(schema.$ref), resolve, path);
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((part) =>
    leavesOf(part, resolve, path),
  );
  const members = Object.entries(schema.properties ?? {}).flatMap(([key, member]) =>
    leavesOf(member, resolve, [...path, key]),
  );
  const items = schema.items ? leavesOf(schema.items, resolve, [...path, 0]) : [];
  const all = [path, ...parts, ...members, ...items];
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
};

const levels = 10_000;
/** Extreme values as JSON. JSON.stringify cannot write some of them. */
export const extremes: readonly string[] = [
  '0',
  '-0',
  '-1',
  '1e308',
  '5e-324',
  '9007199254740992',
  '1e999',
  'null',
  'true',
  '[]',
  '{}',
  `[${'0,'.repeat(99_999)}0]`,
  '"\\u0000\\u001b[2J\\u202e"',
  `"${'x'.repeat(2 ** 20)}"`,
  `${'['.repeat(levels)}${']'.repeat(levels)}`,
];

/** The same for parameters of a URL and for headers. */
export const extremeTexts: readonly string[] = [
  '',
  '0',
  '-0',
  '1e308',
  '5e-324',
  '9007199254740992',
  'Infinity',
  ' 1',
  '0x10',
  '[]',
  ','.repeat(5000),
  '\u0000\u001b[2J\u202e',
  'x'.repeat(6000),
];

const mark = (i: number): string => `@leaf ${i}@`;

const withMark = (value: unknown, [key, ...rest]: Path, leaf: string): unknown => {
  if (key === undefined) return leaf;
  if (typeof key === 'number') return [withMark(undefined, rest, leaf)];
  const record = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return { ...record, [key]: withMark((record as Record<string, unknown>)[key], rest, leaf) };
};

export type Change = { readonly path: Path; readonly json: string };

/** `base` with these values at these paths, as JSON. */
export const bodyWith = (base: unknown, changes: readonly Change[]): string => {
  const marked = changes.reduce((value, { path }, i) => withMark(value, path, mark(i)), base);
  return changes.reduce(
    (text, { json }, i) => text.replace(JSON.stringify(mark(i)), () => json),
    JSON.stringify(marked),
  );
};

export const randomChange = (random: Random, paths: readonly Path[]): Change => ({
  path: random.pick(paths),
  json: random.pick(extremes),
});

const encode = (text: string): string => encodeURIComponent(text).slice(0, 8000);

/** The address and headers of a read with one extreme parameter. */
export const readWith = (
  { path, parameters }: Operation,
  name: string,
  text: string,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } => {
  const parameter = parameters.find((one) => one.name === name);
  const at = path.replace(/\{(\w+)\}/g, (_, key: string) => (key === name ? encode(text) || '%20' : 'none'));
  if (parameter?.in === 'query') return { url: `${at}?${name}=${encode(text)}`, headers: {} };
  // HTTP itself refuses control characters in headers.
  if (parameter?.in === 'header') return { url: at, headers: { [name]: encode(text) } };
  return { url: at, headers: {} };
};
