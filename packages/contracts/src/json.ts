/**
 * Numbers that may be infinite, such as a median distance when most images withstand an attack. JSON has no infinity, so it is written as
 * the text "Infinity", which `Number`, PostgreSQL's `::float8` and Python's `float` read.
 */
import { z } from 'zod';

export const orInfinity = (finite: z.ZodNumber) => z.union([finite, z.literal('Infinity')]);
export const ExtendedNumber = orInfinity(z.number());
export type ExtendedNumber = z.infer<typeof ExtendedNumber>;

/** True for a JSON object: no list, and not null. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `value` must be finite or +∞; a number that does not exist is null, not NaN. */
export const writeExtended = (value: number): ExtendedNumber =>
  value === Number.POSITIVE_INFINITY ? 'Infinity' : value;

export const readExtended = <Missing extends null | undefined>(
  value: ExtendedNumber | Missing,
): number | Missing => (value === null || value === undefined ? value : Number(value));

/**
 * JSON with keys sorted at every depth: equal values give equal text, so the text can be hashed. Throws a TypeError where JSON would change
 * a value silently: NaN, infinities, undefined in an array, functions.
 */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`Expected a finite number, but got ${value}`);
    return String(value);
  }
  if (value === null || typeof value !== 'object') {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`Expected a JSON value, but got ${typeof value}`);
    return text;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return canonicalWriter(Object.keys(value))(value as Readonly<Record<string, unknown>>);
};

/** `canonicalJson` for objects that have no keys but these. It sorts the keys only once, so many such objects take a third of the time. */
export const canonicalWriter = (
  keys: readonly string[],
): ((object: Readonly<Record<string, unknown>>) => string) => {
  const members = keys.toSorted().map((key) => ({ key, start: `${JSON.stringify(key)}:` }));
  return (object) => {
    let text = '';
    for (const { key, start } of members) {
      const value = object[key];
      if (value !== undefined) text += `${text && ','}${start}${canonicalJson(value)}`;
    }
    return `{${text}}`;
  };
};
