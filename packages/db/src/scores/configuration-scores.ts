/**
 * What a configuration is worth, over its seeds: what a single lucky one says is little. Kept with the scores, because which average is
 * the best cannot be known before all have been looked at. Summands are taken in one order, so that the same scores give the same bits.
 */
import type { Tx } from '../connection/transaction.ts';

/** Where less is better, the utility of an infinite value is −∞. */
const anyInfinite = `bool_or(abs(s.utility) = 'Infinity')`;

/**
 * The mean over the seeds where all are finite, with their deviation. With an infinite seed there is neither: then the median, the mean of
 * the middle two where the count is even. A configuration with a missing value has none, and one with a masked seed is masked.
 */
const average = `
  INSERT INTO configuration_scores AS c (sweep_id, configuration_index, ordinal, metric, attack, trial_id, utility, deviation, masked)
  SELECT s.sweep_id, s.configuration_index, s.ordinal, s.metric, min(s.attack), min(s.trial_id),
    CASE WHEN count(s.utility) < count(*) THEN NULL
      WHEN ${anyInfinite} THEN ((array_agg(s.utility ORDER BY s.utility))[(count(*) + 1) / 2] + (array_agg(s.utility ORDER BY s.utility))[count(*) / 2 + 1]) / 2
      ELSE round(avg(s.utility ORDER BY s.trial_id)::numeric, 12)::float8 END,
    CASE WHEN NOT ${anyInfinite} THEN stddev_samp(s.utility ORDER BY s.trial_id) END, bool_or(s.masked)
  FROM (SELECT DISTINCT sweep_id, configuration_index FROM trials WHERE id = ANY($1)) AS k
  JOIN trials t USING (sweep_id, configuration_index)
  JOIN scores s ON s.trial_id = t.id
  GROUP BY s.sweep_id, s.configuration_index, s.ordinal, s.metric
  ORDER BY s.sweep_id, s.configuration_index, s.ordinal, s.metric
  ON CONFLICT (sweep_id, configuration_index, ordinal, metric) DO UPDATE
  SET trial_id = excluded.trial_id, utility = excluded.utility, deviation = excluded.deviation, masked = excluded.masked
  WHERE (c.trial_id, c.utility, c.deviation, c.masked) IS DISTINCT FROM (excluded.trial_id, excluded.utility, excluded.deviation, excluded.masked)`;

/** Averages the scores of configurations of which no other transaction can score a seed: those of a sweep that is just coming in. */
export const averageNewSeeds = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  await tx.query(average, [trialIds]);
};

/**
 * Averages the scores of these trials' configurations. Twice: the first time takes their rows, waiting for whoever scores another seed;
 * the second sees what that one committed. Of two seeds that end at once, the later one has both.
 */
export const averageSeeds = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  await tx.query(average, [trialIds]);
  await tx.query(average, [trialIds]);
};
