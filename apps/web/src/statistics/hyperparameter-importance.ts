/**
 * How much each hyperparameter matters, computed from the trials alone.
 *
 * For a hyperparameter with levels g over n trials with objective y:
 *
 *     η² = Σ_g n_g (ȳ_g − ȳ)² / Σ_i (y_i − ȳ)²
 *
 * is the share of the variance that lies between the levels: the first-order term of functional ANOVA (Hutter et al. 2014), computed
 * on the trials instead of a fitted forest. The levels are the values. A numeric hyperparameter with more than `maxLevels` values, or with
 * fewer than two trials for each, is cut into √n bins of about equal counts, from 2 to `maxLevels`.
 *
 * Many levels explain some variance by chance. The share is therefore computed `permutations` times with shuffled objectives, and
 * their mean is subtracted:
 *
 *     importance = max(0, (η² − E[η²_perm]) / (1 − E[η²_perm]))
 *
 * The 95th percentile of the shuffled shares, on the same scale, is the level that chance reaches. A hyperparameter with a strong
 * effect must not count as noise of the others. So the effects of the other hyperparameters that matter, by an additive fit, are
 * taken out of y first: the shares are those of its residuals over the whole variance of y, and the shuffles move the residuals (Kennedy
 * 1995), enlarged by √((n − 1) / (n − 1 − df)) for the df of the fit. A hyperparameter matters if its share passes the level of chance,
 * without the effects of those that were found before it (forward selection).
 *
 * If some y are infinite, all y are replaced by their ranks (ties have the mean of their ranks); η² is then that of Kruskal and
 * Wallis 1952, H / (n − 1). If the hyperparameters vary independently, as in a grid or a random search, 1 − Σ importance is what they do not
 * explain on their own: interactions, seeds, noise and the part that was subtracted.
 */
type Value = number | string | boolean;

export type Hyperparameter = {
  readonly name: string;
  /** The value of each trial; undefined where the recipe of the trial does not read the hyperparameter. */
  readonly values: readonly (Value | undefined)[];
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
  /** The names of the other hyperparameters whose effects are taken out first. */
  readonly given: readonly string[];
};

const maxLevels = 8;
/** How often the objectives are shuffled to measure what chance explains. */
export const permutations = 100;

/** A partition of the trials: the level of each, from 0 to count − 1; −1 for a trial without a value. */
type Partition = { readonly level: Int32Array; readonly count: number };

const partitionOf = (values: Hyperparameter['values']): Partition => {
  const distinct = [...new Set(values)].filter((value) => value !== undefined);
  const withValue = values.map((_, i) => i).filter((i) => values[i] !== undefined);
  const isMany =
    distinct.length > maxLevels || (distinct.length > 2 && withValue.length < 2 * distinct.length);
  const isBinned = isMany && distinct.every((value) => typeof value === 'number');
  const bins = Math.min(maxLevels, Math.max(2, Math.floor(Math.sqrt(withValue.length))));
  const levels = isBinned ? bins : distinct.length;
  const level = new Int32Array(values.length).fill(-1);
  if (isBinned) {
    withValue.sort((a, b) => Number(values[a]) - Number(values[b]));
    // Equal values have the rank of the first of them, so they share a bin.
    let first = 0;
    for (const [rank, i] of withValue.entries()) {
      if (values[i] !== values[withValue[first]!]) first = rank;
      level[i] = Math.floor((first * bins) / withValue.length);
    }
  } else {
    const order = new Map(distinct.map((value, i) => [value, i]));
    for (const i of withValue) level[i] = order.get(values[i]!)!;
  }
  return { level, count: levels };
};

/** Returns true when two partitions put the same trials together, so that no result can tell their effects apart. */
const isSamePartition = (a: Partition, b: Partition): boolean =>
  a.count === b.count &&
  new Set(Array.from(a.level, (level, i) => `${level} ${b.level[i]!}`)).size === a.count;

/** The sum of y and the number of trials at each level. */
const sumsOf = (y: Float64Array, { level, count }: Partition) => {
  const sum = new Float64Array(count);
  const size = new Float64Array(count);
  for (let i = 0; i < y.length; i++) {
    const g = level[i]!;
    if (g < 0) continue;
    sum[g]! += y[i]!;
    size[g]! += 1;
  }
  return { sum, size };
};

/** The sum of squares between the levels of values with the mean 0. */
const between = (sum: Float64Array, size: Float64Array): number => {
  let total = 0;
  for (let g = 0; g < size.length; g++) if (size[g]! > 0) total += sum[g]! ** 2 / size[g]!;
  return total;
};

const sumOfSquares = (y: Float64Array): number => y.reduce((sum, value) => sum + value ** 2, 0);

const totalOf = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/**
 * The residuals of y (mean 0) after the least-squares fit of one effect for each level of each partition, by backfitting. Trials without a value
 * keep theirs, and so does the mean of those with one: what differs between the two is the effect of the recipe, which reads the
 * hyperparameter or not.
 */
const residualsOf = (y: Float64Array, partitions: readonly Partition[]): Float64Array => {
  const residuals = Float64Array.from(y);
  const enough = 1e-18 * sumOfSquares(y);
  for (let pass = 0; pass < 200; pass++) {
    let moved = 0;
    for (const partition of partitions) {
      const { sum, size } = sumsOf(residuals, partition);
      const mean = totalOf(sum) / totalOf(size);
      const effect = sum.map((value, g) => (size[g]! > 0 ? value / size[g]! - mean : 0));
      for (let i = 0; i < y.length; i++) residuals[i]! -= effect[partition.level[i]!] ?? 0;
      for (let g = 0; g < partition.count; g++) moved += size[g]! * effect[g]! ** 2;
    }
    if (moved <= enough) break;
  }
  return residuals;
};

/** A small seeded generator (mulberry32), so that the same trials always give the same result. */
const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/** Random orders of n trials. */
const ordersOf = (n: number): Uint32Array[] => {
  const random = generator(n);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: permutations }, () => {
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order.slice();
  });
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

/** The trials that have a value of one hyperparameter, their objective less its mean, and how each hyperparameter divides them. */
type Sample = {
  readonly name: string;
  readonly y: Float64Array;
  readonly total: number;
  readonly own: Partition;
  readonly partitions: ReadonlyMap<string, Partition>;
  readonly orders: readonly Uint32Array[];
};

/** One sample for each hyperparameter. Those with values for the same trials share the partitions and the orders. */
const samplesOf = (
  hyperparameters: readonly Hyperparameter[],
  measured: readonly number[],
): readonly Sample[] => {
  const shared = new Map<string, Pick<Sample, 'partitions' | 'orders'>>();
  return hyperparameters.map(({ name, values }) => {
    const trials = values.map((_, i) => i).filter((i) => values[i] !== undefined);
    const key = values.map((value) => (value === undefined ? '0' : '1')).join('');
    const { partitions, orders } = shared.get(key) ?? {
      partitions: new Map(
        hyperparameters.map((other) => [other.name, partitionOf(trials.map((i) => other.values[i]))]),
      ),
      orders: ordersOf(trials.length),
    };
    shared.set(key, { partitions, orders });
    const ofTrials = trials.map((i) => measured[i]!);
    const objective = ofTrials.every(Number.isFinite) ? ofTrials : ranksOf(ofTrials);
    const mean = objective.reduce((sum, value) => sum + value, 0) / trials.length;
    const y = Float64Array.from(objective, (value) => value - mean);
    return { name, y, total: sumOfSquares(y), own: partitions.get(name)!, partitions, orders };
  });
};

/** Those of `known` whose effects can be fitted: at least half of the degrees of freedom must be left for the residuals. */
const givenOf = ({ name, y, own, partitions }: Sample, known: readonly string[]) => {
  const given: { readonly name: string; readonly partition: Partition }[] = [];
  let df = 0;
  for (const other of known) {
    const partition = partitions.get(other)!;
    if (other === name || partition.count < 2 || isSamePartition(partition, own)) continue;
    if (2 * (df + partition.count - 1) > y.length - 1) continue;
    df += partition.count - 1;
    given.push({ name: other, partition });
  }
  return { given, df };
};

/** Shares of the same grouping differ in their last bits when the sum ran in another order. */
const isAtLeast = (share: number, other: number): boolean => share > other - 1e-9;

const importanceOf = (sample: Sample, known: readonly string[]): Importance => {
  const { name, y, total, own, orders } = sample;
  const { given, df } = givenOf(sample, known);
  const residuals = residualsOf(
    y,
    given.map(({ partition }) => partition),
  );
  const { sum, size } = sumsOf(residuals, own);
  const shareOf = (sums: Float64Array) => between(sums, size) / total;
  const share = shareOf(sum);
  const enlarged = (y.length - 1) / (y.length - 1 - df);
  const draws = Float64Array.from(orders, (order) => {
    const sums = new Float64Array(own.count);
    for (let i = 0; i < y.length; i++) sums[own.level[i]!]! += residuals[order[i]!]!;
    return enlarged * shareOf(sums);
  }).sort();
  const byChance = draws.reduce((sum, share) => sum + share, 0) / permutations;
  const corrected = (share: number) => (byChance >= 1 ? 0 : Math.max(0, (share - byChance) / (1 - byChance)));
  const oneInTwenty = draws[Math.floor(permutations * 0.95)]!;
  return {
    name,
    importance: corrected(share),
    chance: corrected(oneInTwenty),
    tooFew: isAtLeast(oneInTwenty, enlarged * share) && isAtLeast(enlarged * share, draws.at(-1)!),
    levels: own.count,
    given: given.map((other) => other.name),
  };
};

/** Returns true when chance alone reaches the share more than once in twenty shuffles. */
export const mayBeChance = ({ importance, chance }: Pick<Importance, 'importance' | 'chance'>): boolean =>
  isAtLeast(chance, importance);

const largestFirst = (rows: readonly Importance[]): Importance[] =>
  [...rows].sort((a, b) => b.importance - a.importance);

/**
 * The importance of every hyperparameter that varies, largest first; each over the trials that have a value of it. Leaves out those with fewer
 * than four such trials or a constant objective.
 */
export const hyperparameterImportance = (
  hyperparameters: readonly Hyperparameter[],
  measured: readonly number[],
): Importance[] => {
  const samples = samplesOf(hyperparameters, measured).filter(
    ({ y, total, own }) => y.length >= 4 && total >= 1e-12 && own.count > 1,
  );
  const known: string[] = [];
  for (;;) {
    const rest = largestFirst(
      samples.filter(({ name }) => !known.includes(name)).map((sample) => importanceOf(sample, known)),
    );
    const next = rest.find((row) => !mayBeChance(row));
    if (next !== undefined) {
      known.push(next.name);
      continue;
    }
    const found = samples.filter(({ name }) => known.includes(name));
    return largestFirst([...found.map((sample) => importanceOf(sample, known)), ...rest]);
  }
};
