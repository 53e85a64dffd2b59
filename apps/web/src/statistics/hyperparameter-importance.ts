import { median } from '@funnel/attacks/statistics';

/**
 * How much each hyperparameter matters, computed from the trials alone.
 *
 * For a hyperparameter with levels g over n trials with objective y:
 *
 *     η² = Σ_g n_g (ȳ_g − ȳ)² / Σ_i (y_i − ȳ)²
 *
 * is the share of the variance that lies between the levels: the first-order term of functional ANOVA (Hutter et al. 2014), computed
 * on the trials instead of a fitted forest. The levels are the values; a numeric hyperparameter with more than `maxLevels` values is
 * cut into that many bins of equal counts.
 *
 * Many levels explain some variance by chance. The share is therefore computed `permutations` times with shuffled objectives, and
 * their mean is subtracted:
 *
 *     importance = max(0, (η² − E[η²_perm]) / (1 − E[η²_perm]))
 *
 * The 95th percentile of the shuffled shares, on the same scale, is the level that chance reaches. If some y are infinite, all y are
 * replaced by their ranks (ties have the mean of their ranks); η² is then that of Kruskal and Wallis 1952, H / (n − 1). If the
 * hyperparameters vary independently, as in a grid or a random search, 1 − Σ importance is what they do not
 * explain on their own: interactions, seeds, noise and the part that was subtracted.
 */
export type Hyperparameter = {
  readonly name: string;
  readonly values: readonly (number | string | boolean)[];
};

export type Importance = {
  readonly name: string;
  /** The share of variance without the part that chance explains, in [0, 1]. */
  readonly importance: number;
  /** The importance that chance alone reaches in one of twenty shuffles. */
  readonly chance: number;
  /**
   * True when no shuffle explains more, but more than one in twenty as much: with two values and two trials each, a third of all shuffles does. No
   * result of so few trials could beat chance.
   */
  readonly tooFew: boolean;
  readonly levels: number;
};

const maxLevels = 8;
/** How often the objectives are shuffled to measure what chance explains. */
export const permutations = 100;

/** The level of each trial, from 0 to count − 1. */
const levelsOf = (
  values: Hyperparameter['values'],
): { readonly level: Int32Array; readonly count: number } => {
  const distinct = [...new Set(values)];
  if (distinct.length <= maxLevels || distinct.some((value) => typeof value !== 'number')) {
    const order = new Map(distinct.map((value, i) => [value, i]));
    return { level: Int32Array.from(values, (value) => order.get(value)!), count: distinct.length };
  }
  const order = values.map((_, i) => i).sort((a, b) => Number(values[a]) - Number(values[b]));
  const level = new Int32Array(values.length);
  for (const [rank, i] of order.entries()) level[i] = Math.floor((rank * maxLevels) / values.length);
  return { level, count: maxLevels };
};

const varianceShare = (
  y: Float64Array,
  level: Int32Array,
  count: number,
  mean: number,
  total: number,
): number => {
  const sum = new Float64Array(count);
  const size = new Float64Array(count);
  for (let i = 0; i < y.length; i++) {
    sum[level[i]!]! += y[i]!;
    size[level[i]!]! += 1;
  }
  let between = 0;
  for (let g = 0; g < count; g++) if (size[g]! > 0) between += size[g]! * (sum[g]! / size[g]! - mean) ** 2;
  return between / total;
};

/** A small seeded generator (mulberry32), so that the same trials always give the same result. */
const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const shuffle = (y: Float64Array, random: () => number): void => {
  for (let i = y.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [y[i], y[j]] = [y[j]!, y[i]!];
  }
};

/** Ranks from 1; ties have the mean of their ranks. */
const ranksOf = (values: readonly number[]): number[] => {
  const sorted = [...values].sort((a, b) => (a === b ? 0 : a - b));
  const firstIndex = new Map<number, number>();
  const count = new Map<number, number>();
  for (const [i, value] of sorted.entries()) {
    if (!firstIndex.has(value)) firstIndex.set(value, i);
    count.set(value, (count.get(value) ?? 0) + 1);
  }
  return values.map((value) => firstIndex.get(value)! + (count.get(value)! + 1) / 2);
};

/** Shares of the same grouping differ in their last bits when the sum ran in another order. */
const isAtLeast = (share: number, other: number): boolean => share > other - 1e-9;

/** The importance of every hyperparameter that varies, largest first. Empty for fewer than four trials or a constant objective. */
export const hyperparameterImportance = (
  hyperparameters: readonly Hyperparameter[],
  measured: readonly number[],
): Importance[] => {
  const objective = measured.every(Number.isFinite) ? measured : ranksOf(measured);
  const n = objective.length;
  const mean = objective.reduce((sum, value) => sum + value, 0) / n;
  const total = objective.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const varying = hyperparameters
    .map((hyperparameter) => ({ name: hyperparameter.name, ...levelsOf(hyperparameter.values) }))
    .filter(({ count }) => count > 1);
  if (n < 4 || total < 1e-12 || varying.length === 0) return [];
  const y = Float64Array.from(objective);
  const shares = varying.map(({ level, count }) => varianceShare(y, level, count, mean, total));
  const shuffled = varying.map(() => new Float64Array(permutations));
  const random = generator(n);
  for (let p = 0; p < permutations; p++) {
    shuffle(y, random);
    for (const [k, { level, count }] of varying.entries())
      shuffled[k]![p] = varianceShare(y, level, count, mean, total);
  }
  const rows = varying.map(({ name, count }, k): Importance => {
    const draws = shuffled[k]!.sort();
    const byChance = draws.reduce((sum, share) => sum + share, 0) / permutations;
    const corrected = (share: number) =>
      byChance >= 1 ? 0 : Math.max(0, (share - byChance) / (1 - byChance));
    const oneInTwenty = draws[Math.floor(permutations * 0.95)]!;
    return {
      name,
      importance: corrected(shares[k]!),
      chance: corrected(oneInTwenty),
      tooFew: isAtLeast(oneInTwenty, shares[k]!) && isAtLeast(shares[k]!, draws.at(-1)!),
      levels: count,
    };
  });
  return rows.sort((a, b) => b.importance - a.importance);
};

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

/** The mean objective at each value of a hyperparameter, in ascending order of the value. `largest`: the largest value of the metric. */
export const levelMeans = <V extends number | string | boolean>(
  values: readonly V[],
  objective: readonly number[],
  largest: number,
): LevelMean<V>[] => {
  const groups = new Map<V, number[]>();
  for (const [i, value] of values.entries()) {
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
