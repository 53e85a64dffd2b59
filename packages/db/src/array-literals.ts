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

/** Of JSON texts; null stands for SQL's NULL. */
export const jsonArray = (values: readonly unknown[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : quoted(JSON.stringify(value)))).join(',')}}`;
