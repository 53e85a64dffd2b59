import { median } from '@funnel/attacks/statistics';
import { studentT975 } from '@funnel/contracts';

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
    const half = studentT975(n - 1) * Math.sqrt(variance / n);
    return { value, n, mean, interval: [Math.max(0, mean - half), Math.min(largest, mean + half)] };
  });
  return rows.sort((a, b) =>
    typeof a.value === 'number' ? a.value - Number(b.value) : String(a.value) < String(b.value) ? -1 : 1,
  );
};
