/** The few statistics that a report needs. */

/** Normal quantile of a two-sided 95 % interval. */
const z = 1.959963984540054;

/**
 * 95 % Wilson score interval of a proportion: unlike p ± 1.96 s.e. it is right at 0 and 1, where robustness claims live.
 * Wilson 1927, eq. 4. [0, 1] when nothing was tried.
 */
export const wilsonInterval = (successes: number, trials: number): [number, number] => {
  if (trials === 0) return [0, 1];
  const p = successes / trials;
  const centre = (p + (z * z) / (2 * trials)) / (1 + (z * z) / trials);
  const half =
    (z / (1 + (z * z) / trials)) * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === trials ? 1 : Math.min(1, centre + half),
  ];
};

export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Median, the mean of the middle two where the count is even. `Infinity` counts as a value and may be the result. Null for no values, or NaN. */
export const median = (values: readonly number[]): number | null => {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const value = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return Number.isNaN(value) ? null : value;
};
