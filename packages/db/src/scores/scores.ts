/**
 * The leaderboard's rows: written in the transaction that completes an evaluation, so that ranking is one index scan. The worst case over
 * a trial's attacks is there once all of them are complete.
 */
import { evaluationMetricNames } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import { averageNewSeeds, averageSeeds } from './configuration-scores.ts';
import { signs } from './metric-signs.ts';
import { inheritWorstCases, scoreWorstCases } from './worst-cases.ts';

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
