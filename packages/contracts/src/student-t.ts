/** The 95 % interval of a mean over few seeds, from the 97.5 % quantile of Student's t distribution. */

/** The quantile for one to thirty degrees of freedom, to six digits. Closed forms and printed tables agree on these values. */
const table = [
  12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
  2.200985, 2.178813, 2.160369, 2.144787, 2.13145, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963, 2.079614,
  2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.04523, 2.042272,
];

/** The 97.5 % quantile of the normal distribution: for two-sided 95 % intervals. */
export const normal975 = 1.959963984540054;
const z = normal975;

/**
 * For more than thirty: the Cornish–Fisher expansion around the normal quantile, which is exact to six digits there (Abramowitz & Stegun
 * 26.7.5).
 */
const expansion = (df: number): number =>
  z +
  (z ** 3 + z) / (4 * df) +
  (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df ** 2) +
  (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * df ** 3);

/** The quantile for `df` ≥ 1 degrees of freedom. */
export const studentT975 = (df: number): number => table[df - 1] ?? expansion(df);

/** Half the width of the 95 % interval of a mean over `n` values with this sample standard deviation; null for fewer than two. */
export const halfWidth = (n: number, deviation: number | null): number | null =>
  n < 2 || deviation === null ? null : (studentT975(n - 1) * deviation) / Math.sqrt(n);
