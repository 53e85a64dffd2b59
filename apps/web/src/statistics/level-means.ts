import { median } from '@funnel/attacks/statistics';

/** Two-sided 95 % quantiles of Student's t for 1 … 30 degrees of freedom; the normal quantile is used above. */
const t95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

export type LevelMean<V> = {
  readonly value: V;
  readonly n: number;
  /** The number of trials with an infinite objective; absent without any. */
  readonly infinite?: number;
  /** The mean; the median if an objective is infinite. */
  readonly mean: number;
  /** The 95 % interval of the mean (Student's t), cut to the values that the metric can have; null for one trial and for a median. */
  readonly interval: readonly [number, number] | null;
};

/**
 * The mean objective at each value of a hyperparameter, in ascending order of the value. Trials without a value (undefined) count nowhere.
 * `largest`: the largest value of the metric.
 */
export const levelMeans = <V extends number | string | boolean>(
  values: readonly (V | undefined)[],
  objective: readonly number[],
  largest: number,
): LevelMean<V>[] => {
  const groups = new Map<V, number[]>();
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    const group = groups.get(value);
    if (group) group.push(objective[i]!);
    else groups.set(value, [objective[i]!]);
  }
  const rows = [...groups].map(([value, ys]): LevelMean<V> => {
    const n = ys.length;
    const infinite = ys.filter((y) => y === Number.POSITIVE_INFINITY).length;
    if (infinite > 0) return { value, n, infinite, mean: median(ys)!, interval: null };
    const mean = ys.reduce((a, b) => a + b, 0) / n;
    if (n < 2) return { value, n, mean, interval: null };
    const variance = ys.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (n - 1);
    const half = (t95[n - 2] ?? 1.96) * Math.sqrt(variance / n);
    return { value, n, mean, interval: [Math.max(0, mean - half), Math.min(largest, mean + half)] };
  });
  return rows.sort((a, b) =>
    typeof a.value === 'number' ? a.value - Number(b.value) : String(a.value) < String(b.value) ? -1 : 1,
  );
};
