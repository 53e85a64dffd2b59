import { median } from '@funnel/attacks/statistics';

/**
 * Which hyperparameter moves the objective, from the trials alone.
 *
 * For a hyperparameter with levels g (its values; a numeric hyperparameter with more than `mostLevels` values is cut into as many bins of equal counts),
 * over n trials with objective y:
 *
 *     η² = Σ_g n_g (ȳ_g − ȳ)² / Σ_i (y_i − ȳ)²
 *
 * the share of the objective's variance that lies between the levels: the first-order term of functional ANOVA (Hutter et al. 2014),
 * computed on the trials themselves instead of on a fitted forest. A hyperparameter with many levels explains some variance by chance, so the
 * same share is computed `permutations` times with the objective shuffled over the trials; the mean of those is taken off,
 *
 *     importance = max(0, (η² − E[η²_perm]) / (1 − E[η²_perm]))
 *
 * and the 95th percentile of the shuffled shares (on the same scale) is reported as the level that a hyperparameter must exceed to mean
 * anything. Where some y are infinite there is no variance: all y are replaced by their ranks (ties share the mean of theirs), and η² is
 * that of Kruskal and Wallis 1952, H / (n − 1). What no hyperparameter explains alone (interactions, seeds, noise) is 1 − Σ importance when the hyperparameters vary independently, as they
 * do in a grid or a random search.
 */
export type Hyperparameter = {
  readonly name: string;
  readonly values: readonly (number | string | boolean)[];
};

export type Importance = {
  readonly name: string;
  /** Share of variance, chance taken off; 0 to 1. */
  readonly importance: number;
  /** What chance reaches in one of twenty shuffles, on the same scale. */
  readonly chance: number;
  readonly levels: number;
};

const maxLevels = 8;
const permutations = 100;

/** A level per trial, 0 to levels − 1. */
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

/** A small fixed generator (mulberry32): the same trials always give the same picture. */
const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const shuffle = (y: Float64Array, random: () => number): void => {
  for (let i = y.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = y[i]!;
    y[i] = y[j]!;
    y[j] = kept;
  }
};

/** 1 for the least; ties share the mean of their ranks. */
const ranksOf = (values: readonly number[]): number[] => {
  const sorted = [...values].sort((a, b) => (a === b ? 0 : a - b));
  const first = new Map<number, number>();
  const count = new Map<number, number>();
  for (const [i, value] of sorted.entries()) {
    if (!first.has(value)) first.set(value, i);
    count.set(value, (count.get(value) ?? 0) + 1);
  }
  return values.map((value) => first.get(value)! + (count.get(value)! + 1) / 2);
};

/** Importance of every hyperparameter that takes more than one value, greatest first; empty when there is nothing to explain. */
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
    return {
      name,
      importance: corrected(shares[k]!),
      chance: corrected(draws[Math.floor(permutations * 0.95)]!),
      levels: count,
    };
  });
  return rows.sort((a, b) => b.importance - a.importance);
};

/** Two-sided 95 % quantiles of Student's t by degrees of freedom 1 … 30; the normal's beyond. */
const t95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

export type LevelMean<V> = {
  readonly value: V;
  readonly n: number;
  /** Trials whose objective is infinite, where there are any. */
  readonly infinite?: number;
  /** The median where one is infinite. */
  readonly mean: number;
  /** Half-width of the 95 % interval of the mean (Student's t); null for one trial, and for a median. */
  readonly halfWidth: number | null;
};

/** Mean objective at each value of a hyperparameter, by growing value: what the hyperparameter does, all others averaged over. */
export const levelMeans = <V extends number | string | boolean>(
  values: readonly V[],
  objective: readonly number[],
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
    if (infinite > 0) return { value, n, infinite, mean: median(ys)!, halfWidth: null };
    const mean = ys.reduce((a, b) => a + b, 0) / n;
    if (n < 2) return { value, n, mean, halfWidth: null };
    const variance = ys.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (n - 1);
    return { value, n, mean, halfWidth: (t95[n - 2] ?? 1.96) * Math.sqrt(variance / n) };
  });
  return rows.sort((a, b) =>
    typeof a.value === 'number' ? a.value - Number(b.value) : String(a.value) < String(b.value) ? -1 : 1,
  );
};
