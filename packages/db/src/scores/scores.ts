/**
 * What a configuration is worth, over its seeds: what a single lucky one says is little. Kept with the scores, because which average is
 * the best cannot be known before all have been looked at. Summands are taken in one order, so that the same scores give the same bits.
 */

import { evaluationMetricNames } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { inheritWorstCases, scoreWorstCases, signs } from './worst-cases.ts';

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

/**
 * The leaderboard's rows: written in the transaction that completes an evaluation, so that ranking is one index scan. The worst case over
 * a trial's attacks is there once all of them are complete.
 */

const perAttack = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  SELECT t.id, e.stage_id, m.metric, t.sweep_id, ts.ordinal, t.configuration_index, e.attack, v.value, v.value * m.sign
  FROM trials t
  JOIN trial_stages ts ON ts.trial_id = t.id
  JOIN evaluations e ON e.stage_id = ts.stage_id
  CROSS JOIN unnest($2::text[], $3::int[]) AS m (metric, sign)
  CROSS JOIN LATERAL (SELECT (e.summary ->> m.metric)::float8 AS value) AS v
  WHERE t.id = ANY($1)
  ON CONFLICT DO NOTHING`;

/** The worst verdict of a trial's evaluations marks the trial, and a masked trial is marked in every ranking. */
const verdicts = `
  WITH worst AS (
    SELECT ts.trial_id, CASE WHEN bool_or(e.verdict = 'masked') THEN 'masked' WHEN bool_or(e.verdict = 'suspect') THEN 'suspect' ELSE 'ok' END AS verdict
    FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id WHERE ts.trial_id = ANY($1) GROUP BY 1
  ), marked AS (
    UPDATE scores s SET masked = true FROM worst w WHERE s.trial_id = w.trial_id AND w.verdict = 'masked' AND NOT s.masked
  )
  UPDATE trials t SET verdict = w.verdict FROM worst w WHERE t.id = w.trial_id AND t.verdict IS DISTINCT FROM w.verdict`;

const scoreAttacks = (tx: Tx, trialIds: readonly string[]): Promise<unknown> =>
  tx.query(perAttack, [trialIds, evaluationMetricNames, signs]);

/** Writes what is missing for these trials' evaluations. Their rows must be locked: of two last evaluations, the later sees both. */
const scoreTrials = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  if (trialIds.length === 0) return;
  await scoreAttacks(tx, trialIds);
  await scoreWorstCases(tx, trialIds);
  await tx.query(verdicts, [trialIds]);
  await averageSeeds(tx, trialIds);
};

/** The same for the trials of a sweep that is just coming in: their evaluations were there before, and other trials may have been scored by them. */
export const inheritScores = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  await scoreAttacks(tx, trialIds);
  await inheritWorstCases(tx, trialIds);
  await scoreWorstCases(tx, trialIds);
  await tx.query(verdicts, [trialIds]);
  await averageNewSeeds(tx, trialIds);
};

/** Scores the trials that share these attack stages. */
export const scoreStages = async (tx: Tx, stageIds: readonly string[]): Promise<void> => {
  if (stageIds.length === 0) return;
  const trials = await tx.query<{ id: string }>(
    'SELECT id FROM trials WHERE id IN (SELECT trial_id FROM trial_stages WHERE stage_id = ANY($1)) ORDER BY id FOR NO KEY UPDATE',
    [stageIds],
  );
  await scoreTrials(
    tx,
    trials.map((trial) => trial.id),
  );
};

/** A trial's clean accuracy is its classifier's on the test images, after the last epoch. */
export const noteCleanAccuracy = async (tx: Tx, classifyStages: readonly string[]): Promise<void> => {
  if (classifyStages.length === 0) return;
  await tx.query(
    `WITH measured AS (
       SELECT t.id, m.value
       FROM stages s JOIN chains c ON c.hash = s.chain
       JOIN metrics m ON m.chain_id = c.id AND m.name = 'cleanAccuracy' AND m.epoch = s.epochs
       JOIN trial_stages ts ON ts.stage_id = s.id JOIN trials t ON t.id = ts.trial_id
       WHERE s.id = ANY($1) AND s.status = 'completed' AND t.clean_accuracy IS DISTINCT FROM m.value
       ORDER BY t.id FOR NO KEY UPDATE OF t
     )
     UPDATE trials t SET clean_accuracy = measured.value FROM measured WHERE t.id = measured.id`,
    [classifyStages],
  );
};
