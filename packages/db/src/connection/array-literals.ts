/**
 * Writes arrays in PostgreSQL's notation, for parameters such as `$1::text[]`. The driver could do this too, but it writes one element at a
 * time, and a submission sends half a million elements.
 */

/** An array of values that need no quotes: hashes, ids, numbers. */
export const plainArray = (values: readonly (string | number | null)[]): string =>
  `{${values.map((value) => value ?? 'NULL').join(',')}}`;

/** An array of such arrays. Each inner array is a text that the statement casts: `x::text[]`. */
export const plainArrays = (values: readonly (readonly string[])[]): string =>
  `{${values.map((value) => `"${plainArray(value)}"`).join(',')}}`;

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** An array of JSON texts; null stands for SQL's NULL. Serialises an object that occurs several times only once. */
export const jsonArray = (values: readonly unknown[]): string => {
  const texts = new Map<unknown, string>([[null, 'NULL']]);
  const textOf = (value: unknown): string => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const text = quoted(JSON.stringify(value));
    texts.set(value, text);
    return text;
  };
  return `{${values.map(textOf).join(',')}}`;
};
