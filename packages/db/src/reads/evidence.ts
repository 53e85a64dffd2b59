/** What stands behind the rows of a page of the leaderboard: the trials of their seeds, the images, and the intervals that follow from them. */
import {
  type EvaluationMetricName,
  halfWidth,
  type Interval,
  medianRanks,
  reachingTo,
  type TrialVerdict,
  widenBySeeds,
  wilsonInterval,
} from '@funnel/contracts';
import { float8, int4, int8, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { RankedRow } from './ranking.ts';

const seedColumns = {
  /** The place of the row on the page. */
  place: int4(),
  trial_id: text(),
  sweep_id: text(),
  seed: int4(),
  stage_id: text(),
  ordinal: int4(),
  /** Of the metric; null without a value. */
  value: orNull(float8()),
  dataset: text(),
  verdict: orNull(text<TrialVerdict>()),
  clean_accuracy: orNull(float8()),
  /** Test images; null in a sweep of a very old version. */
  tested: orNull(int4()),
  images: int4(),
  correct: int4(),
  fooled: int4(),
  rejected_clean: orNull(float8()),
  rejected_attacked: orNull(float8()),
};

/** One seed of a row. */
export type SeedEvidence = RowOf<typeof seedColumns>;

/**
 * $1, $2: the trials and ordinals of the rows; $3: the metric; $4: whether a row has all seeds of its configuration. The success rate of the
 * worst case counts images, so it gives the number of those that were fooled.
 */
const seedsOfRows = `
  WITH r AS MATERIALIZED (
    SELECT t.sweep_id, t.configuration_index, r.* FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS r (trial_id, ordinal, place) JOIN trials t ON t.id = r.trial_id
  ), sizes AS MATERIALIZED (
    SELECT w.id, (w.definition #>> '{dataset,test}')::int AS tested FROM sweeps w WHERE w.id IN (SELECT sweep_id FROM r)
  )
  SELECT (r.place - 1)::int AS place, o.id AS trial_id, o.sweep_id, o.seed, s.stage_id, r.ordinal, s.value, o.dataset, o.verdict, o.clean_accuracy, z.tested,
    (e.summary ->> 'images')::int AS images, n.correct, coalesce(round(f.value * n.correct)::int, 0) AS fooled,
    (e.summary ->> 'rejectedClean')::float8 AS rejected_clean, (e.summary ->> 'rejectedAttacked')::float8 AS rejected_attacked
  FROM r JOIN trials o ON o.sweep_id = r.sweep_id AND o.configuration_index = r.configuration_index AND ($4 OR o.id = r.trial_id)
  JOIN scores s ON s.trial_id = o.id AND s.ordinal = r.ordinal AND s.metric = $3
  JOIN scores f ON f.trial_id = o.id AND f.ordinal = r.ordinal AND f.metric = 'successRate'
  JOIN evaluations e ON e.stage_id = s.stage_id
  CROSS JOIN LATERAL (SELECT (e.summary ->> 'attempted')::int AS correct) AS n
  JOIN sizes z ON z.id = r.sweep_id
  ORDER BY r.place, o.seed, o.id`;

/** The seeds of each row, in the order of the rows. */
export const readEvidence = async (
  tx: Tx,
  rows: readonly Pick<RankedRow, 'trial_id' | 'ordinal'>[],
  { metric, allSeeds }: { readonly metric: EvaluationMetricName; readonly allSeeds: boolean },
): Promise<readonly (readonly SeedEvidence[])[]> => {
  if (rows.length === 0) return [];
  const found: SeedEvidence[][] = rows.map(() => []);
  const seeds = await tx.query(seedColumns, seedsOfRows, [
    rows.map((row) => row.trial_id),
    rows.map((row) => row.ordinal),
    metric,
    allSeeds,
  ]);
  for (const seed of seeds) found[seed.place]!.push(seed);
  return found;
};

const sumOf = (seeds: readonly SeedEvidence[], name: 'images' | 'correct' | 'fooled'): number =>
  seeds.reduce((sum, seed) => sum + seed[name], 0);

export const countsOf = (seeds: readonly SeedEvidence[]) => ({
  images: sumOf(seeds, 'images'),
  correct: sumOf(seeds, 'correct'),
  fooled: sumOf(seeds, 'fooled'),
});

type Counts = { readonly images: number; readonly correct: number; readonly fooled: number };

/** The images that a share counts, and all of which it is a share. Null for a metric that is no share. */
const shareOf = (
  metric: EvaluationMetricName,
  { images, correct, fooled }: Counts,
): readonly [part: number, whole: number] | null => {
  if (metric === 'robustAccuracy') return [correct - fooled, images];
  if (metric === 'successRate') return [fooled, correct];
  if (metric === 'cleanAccuracy') return [correct, images];
  return null;
};

/** The share of each seed; null for a metric that is no share, and where a seed has no image. */
export const seedShares = (
  metric: EvaluationMetricName,
  seeds: readonly SeedEvidence[],
): readonly number[] | null => {
  const shares = seeds.map((seed) => shareOf(metric, seed));
  return shares.every((share) => share !== null && share[1] > 0)
    ? shares.map((share) => share![0] / share![1])
    : null;
};

/** The smallest and the largest share of a seed. Undefined for one seed, and without shares. */
export const seedRangeOf = (
  metric: EvaluationMetricName,
  seeds: readonly SeedEvidence[],
): [number, number] | undefined => {
  const shares = seeds.length < 2 ? null : seedShares(metric, seeds);
  return shares === null ? undefined : [Math.min(...shares), Math.max(...shares)];
};

/** Wilson's interval over the images of all seeds together, within [0, 1], as wide as the seeds differ. */
const intervalOfShares = (part: number, whole: number, shares: readonly number[]): [number, number] => {
  const [low, high] = widenBySeeds(wilsonInterval(part, whole), shares);
  return [Math.max(0, low), Math.min(1, high)];
};

/** Of the clean accuracy on the test images of all seeds; null while a seed has none. */
export const cleanIntervalOf = (seeds: readonly SeedEvidence[]): [number, number] | null => {
  let [correct, images] = [0, 0];
  const shares: number[] = [];
  for (const { clean_accuracy, tested } of seeds) {
    if (clean_accuracy === null || tested === null) return null;
    correct += Math.round(clean_accuracy * tested);
    images += tested;
    shares.push(clean_accuracy);
  }
  return images === 0 ? null : intervalOfShares(correct, images, shares);
};

/** Of a share: over the images of all seeds. Null for a metric that is no share. */
const shareInterval = (metric: EvaluationMetricName, seeds: readonly SeedEvidence[]): Interval | null => {
  const share = shareOf(metric, countsOf(seeds));
  return share && intervalOfShares(...share, seedShares(metric, seeds) ?? [share[0] / share[1]]);
};

/**
 * $1, $2: the trials, and whether the least distance of all attacks counts; $3: the attack stages; $4, $5: the ranks of the ends. An image that
 * no attack fooled is at an infinite distance.
 */
const medianEnds = (norm: 'l2' | 'linf'): string => `
  SELECT (r.place - 1)::int AS place, coalesce(d.distances[r.low], 'Infinity') AS low, coalesce(d.distances[r.high], 'Infinity') AS high
  FROM unnest($1::text[], $2::boolean[], $3::text[], $4::int[], $5::int[]) WITH ORDINALITY AS r (trial_id, is_worst, stage_id, low, high, place)
  CROSS JOIN LATERAL (
    SELECT array_agg(i.distance ORDER BY i.distance) AS distances FROM (
      SELECT min(x.distance) AS distance FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id
      CROSS JOIN LATERAL unnest(e.success, e.${norm}) WITH ORDINALITY AS x (success, distance, n)
      WHERE ts.trial_id = r.trial_id AND (r.is_worst OR ts.stage_id = r.stage_id) AND x.success GROUP BY x.n
    ) AS i
  ) AS d`;

const endColumns = { place: int4(), low: float8(), high: float8() };

/** A worst case has the stage of its strongest attack, so that the stage would not tell it from this attack. */
const keyOf = ({ trial_id, ordinal }: Pick<SeedEvidence, 'trial_id' | 'ordinal'>): string =>
  `${trial_id} ${ordinal}`;

/** The intervals of the medians of single trials, by `keyOf`. */
const medianIntervals = async (
  tx: Tx,
  norm: 'l2' | 'linf',
  seeds: readonly SeedEvidence[],
): Promise<ReadonlyMap<string, Interval>> => {
  const ranked = seeds.flatMap((seed) => {
    const ranks = medianRanks(seed.correct);
    return ranks ? [{ ...seed, ranks }] : [];
  });
  if (ranked.length === 0) return new Map();
  const rows = await tx.query(endColumns, medianEnds(norm), [
    ranked.map(({ trial_id }) => trial_id),
    ranked.map(({ ordinal }) => ordinal === -1),
    ranked.map(({ stage_id }) => stage_id),
    ranked.map(({ ranks }) => ranks[0]),
    ranked.map(({ ranks }) => ranks[1]),
  ]);
  return new Map(rows.map(({ place, low, high }) => [keyOf(ranked[place]!), [low, high]]));
};

/** The intervals of the noise levels of single trials, by `keyOf`. */
const noiseIntervals = async (
  tx: Tx,
  seeds: readonly SeedEvidence[],
): Promise<ReadonlyMap<string, Interval>> => {
  const rows = await tx.query(
    { stage_id: text(), fooled: int8(), mean: orNull(float8()), deviation: orNull(float8()) },
    `SELECT e.stage_id, count(*) AS fooled, avg(x.l2) AS mean, stddev_samp(x.l2) AS deviation
     FROM evaluations e CROSS JOIN LATERAL unnest(e.success, e.l2) AS x (success, l2)
     WHERE e.stage_id = ANY($1) AND x.success GROUP BY 1`,
    [[...new Set(seeds.map(({ stage_id }) => stage_id))]],
  );
  const found = new Map(
    rows.flatMap(({ stage_id, fooled, mean, deviation }): [string, Interval][] => {
      const half = halfWidth(fooled, deviation);
      return half === null ? [] : [[stage_id, [Math.max(0, mean! - half), mean! + half]]];
    }),
  );
  return new Map(
    seeds.flatMap((seed): [string, Interval][] => {
      const interval = found.get(seed.stage_id);
      return interval ? [[keyOf(seed), interval]] : [];
    }),
  );
};

/** The mean of the intervals of all seeds, as wide as the seeds differ. Null if a seed has none. */
const meanInterval = (
  seeds: readonly SeedEvidence[],
  intervals: ReadonlyMap<string, Interval>,
): Interval | null => {
  const found = seeds.flatMap((seed) => {
    const interval = intervals.get(keyOf(seed));
    return interval ? [interval] : [];
  });
  if (found.length < seeds.length || seeds.length === 0) return null;
  const meanOf = (end: 0 | 1): number =>
    found.reduce((sum, interval) => sum + interval[end], 0) / found.length;
  const values = seeds.map(({ value }) => value ?? Number.NaN);
  const mean: Interval = [meanOf(0), meanOf(1)];
  if (!values.every(Number.isFinite)) return mean;
  const [low, high] = widenBySeeds(mean, values);
  return [Math.max(0, low), high];
};

/**
 * The 95 % interval of the value of each row; null for a row without a value. Seeds of different numbers of images, or medians of several
 * seeds, may have a mean outside of the interval: then the interval reaches to it.
 */
export const intervalsOf = async (
  tx: Tx,
  rows: readonly { readonly value: number | null; readonly seeds: readonly SeedEvidence[] }[],
  metric: EvaluationMetricName,
): Promise<readonly (Interval | null)[]> => {
  const all = rows.flatMap(({ value, seeds }) => (value === null ? [] : seeds));
  const single =
    metric === 'medianL2' || metric === 'medianLinf'
      ? await medianIntervals(tx, metric === 'medianL2' ? 'l2' : 'linf', all)
      : metric === 'noiseLevel' && all.length > 0
        ? await noiseIntervals(tx, all)
        : new Map<string, Interval>();
  return rows.map(({ value, seeds }) => {
    if (value === null || seeds.length === 0) return null;
    const interval = shareInterval(metric, seeds) ?? meanInterval(seeds, single);
    return interval && reachingTo(interval, value);
  });
};
