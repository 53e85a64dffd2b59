/**
 * Arrays as PostgreSQL writes them. The driver would do it too, one element at a time; a submission sends half a million elements. Pass
 * them where the statement says `$1::text[]`.
 */

/** Of values that need no quotes: hashes, ids, numbers. */
export const plainArray = (values: readonly (string | number | null)[]): string =>
  `{${values.map((value) => value ?? 'NULL').join(',')}}`;

/** Arrays of such values, each as a text that the statement casts: `x::text[]`. */
export const plainArrays = (values: readonly (readonly string[])[]): string =>
  `{${values.map((value) => `"${plainArray(value)}"`).join(',')}}`;

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** Of JSON texts; null stands for SQL's NULL. What is one object in many places is written down once. */
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
