/**
 * The leaderboard's rows: written in the transaction that completes an evaluation, so that ranking is one index scan.
 *
 * The worst case over a trial's attacks is there once all of them are complete. Robust accuracy and success rate are counted per image:
 * an image counts as robust when no attack fooled it, whatever each attack did on average. Of every other metric the worst value stands;
 * a missing one (an infinite distance) is not worse than any.
 */
import { evaluationMetricNames, evaluationMetrics } from '@funnel/contracts';
import { averageSeeds } from './configuration-scores.ts';
import type { Tx } from './transaction.ts';

const signs = evaluationMetricNames.map((name) => (evaluationMetrics[name].direction === 'max' ? 1 : -1));

const perAttack = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, position, configuration_index, attack, value, merit)
  SELECT t.id, e.stage_id, m.metric, t.sweep_id, ts.position, t.configuration_index, e.attack, v.value, v.value * m.sign
  FROM trials t
  JOIN trial_stages ts ON ts.trial_id = t.id
  JOIN evaluations e ON e.stage_id = ts.stage_id
  CROSS JOIN unnest($2::text[], $3::int[]) AS m (metric, sign)
  CROSS JOIN LATERAL (SELECT (e.summary ->> m.metric)::float8 AS value) AS v
  WHERE t.id = ANY($1)
  ON CONFLICT DO NOTHING`;

const worstCase = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, position, configuration_index, attack, value, merit)
  WITH complete AS (
    SELECT ts.trial_id AS id FROM trial_stages ts
    JOIN stages s ON s.id = ts.stage_id AND s.kind = 'attack'
    LEFT JOIN evaluations e ON e.stage_id = s.id
    WHERE ts.trial_id = ANY($1)
    GROUP BY 1 HAVING bool_and(e.stage_id IS NOT NULL)
  ), joint AS (
    -- One row per trial where all attacks saw the same number of images, which those of one sweep do.
    SELECT ts.trial_id, bit_count(bit_or(e.fooled::bit varying)) AS fooled,
      max((e.summary ->> 'attempted')::float8) AS attempted, max((e.summary ->> 'images')::float8) AS images
    FROM complete c JOIN trial_stages ts ON ts.trial_id = c.id JOIN evaluations e ON e.stage_id = ts.stage_id
    GROUP BY ts.trial_id, length(e.fooled)
  ), strongest AS (
    SELECT DISTINCT ON (sc.trial_id, sc.metric) sc.*
    FROM complete c JOIN scores sc ON sc.trial_id = c.id AND sc.position >= 0
    ORDER BY sc.trial_id, sc.metric, sc.merit NULLS LAST, sc.position
  ), valued AS (
    SELECT s.*, CASE
      WHEN (SELECT count(*) FROM joint o WHERE o.trial_id = s.trial_id) > 1 THEN s.value
      WHEN s.metric = 'robustAccuracy' THEN (j.attempted - j.fooled) / nullif(j.images, 0)
      WHEN s.metric = 'successRate' THEN coalesce(j.fooled / nullif(j.attempted, 0), 0)
      ELSE s.value
    END AS joint_value
    FROM strongest s JOIN LATERAL (SELECT * FROM joint o WHERE o.trial_id = s.trial_id LIMIT 1) AS j ON true
  )
  SELECT v.trial_id, v.stage_id, v.metric, v.sweep_id, -1, v.configuration_index, '', v.joint_value, v.joint_value * m.sign
  FROM valued v JOIN unnest($2::text[], $3::int[]) AS m (metric, sign) ON m.metric = v.metric
  WHERE NOT EXISTS (SELECT FROM scores o WHERE o.trial_id = v.trial_id AND o.position = -1 AND o.metric = v.metric)`;

/** The worst verdict of a trial's evaluations marks the trial, and a masked trial is marked in every ranking. */
const verdicts = `
  WITH worst AS (
    SELECT ts.trial_id, CASE WHEN bool_or(e.verdict = 'masked') THEN 'masked' WHEN bool_or(e.verdict = 'suspect') THEN 'suspect' ELSE 'ok' END AS verdict
    FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id WHERE ts.trial_id = ANY($1) GROUP BY 1
  ), marked AS (
    UPDATE scores s SET masked = true FROM worst w WHERE s.trial_id = w.trial_id AND w.verdict = 'masked' AND NOT s.masked
  )
  UPDATE trials t SET verdict = w.verdict FROM worst w WHERE t.id = w.trial_id AND t.verdict IS DISTINCT FROM w.verdict`;

/** Writes what is missing for these trials' evaluations. Their rows must be locked: of two last evaluations, the later sees both. */
export const scoreTrials = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  if (trialIds.length === 0) return;
  const metrics = [trialIds, evaluationMetricNames, signs];
  await tx.query(perAttack, metrics);
  await tx.query(worstCase, metrics);
  await tx.query(verdicts, [trialIds]);
  await averageSeeds(tx, trialIds);
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
    `UPDATE trials t SET clean_accuracy = m.value
     FROM stages s JOIN chains c ON c.hash = s.chain
     JOIN metrics m ON m.chain_id = c.id AND m.name = 'cleanAccuracy' AND m.epoch = s.epochs
     JOIN trial_stages ts ON ts.stage_id = s.id
     WHERE s.id = ANY($1) AND s.status = 'completed' AND t.id = ts.trial_id AND t.clean_accuracy IS DISTINCT FROM m.value`,
    [classifyStages],
  );
};
