/**
 * The rows of the leaderboard: the scores of each attack, the worst case over all attacks of a trial when these are complete
 * (`worst-cases.ts`), and the averages over seeds. The transaction that completes an evaluation writes them, so that a ranking is one index
 * scan.
 */
import { evaluationMetricNames } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { updateVerdicts } from './verdicts.ts';
import { copyWorstCases, scoreWorstCases, utilitySigns } from './worst-cases.ts';

/** Inserts the missing scores of every attack of the trials $1. $2, $3: metrics and their signs. */
const insertAttackScores = `
  INSERT INTO scores (trial_id, stage_id, metric, sweep_id, ordinal, configuration_index, attack, value, utility)
  SELECT t.id, e.stage_id, m.metric, t.sweep_id, ts.ordinal, t.configuration_index, e.attack, v.value, v.value * m.sign
  FROM trials t
  JOIN trial_stages ts ON ts.trial_id = t.id
  JOIN evaluations e ON e.stage_id = ts.stage_id
  CROSS JOIN unnest($2::text[], $3::int[]) AS m (metric, sign)
  CROSS JOIN LATERAL (SELECT (e.summary ->> m.metric)::float8 AS value) AS v
  WHERE t.id = ANY($1)
  ON CONFLICT DO NOTHING`;

const scoreAttacks = (tx: Tx, trialIds: readonly string[]): Promise<void> =>
  tx.run(insertAttackScores, [trialIds, evaluationMetricNames, utilitySigns]);

const hasInfiniteSeed = `bool_or(abs(s.utility) = 'Infinity')`;

/**
 * The averages of the configurations of the trials $1. They are stored, because a ranking would otherwise have to compute all of them to
 * find the best. If all values are finite, the row has their mean and sample deviation. If a value is infinite, the row has the median (the
 * mean of the middle two values for an even count) and no deviation. A configuration with a missing value has no average; a configuration
 * with a seed that ranks below all others does so too. The statement adds the values in a fixed order, so that the same scores give the same bits.
 */
const upsertAverages = `
  INSERT INTO configuration_scores AS c (sweep_id, configuration_index, ordinal, metric, attack, trial_id, utility, deviation, below)
  SELECT s.sweep_id, s.configuration_index, s.ordinal, s.metric, min(s.attack), min(s.trial_id),
    CASE WHEN count(s.utility) < count(*) THEN NULL
      WHEN ${hasInfiniteSeed} THEN ((array_agg(s.utility ORDER BY s.utility))[(count(*) + 1) / 2] + (array_agg(s.utility ORDER BY s.utility))[count(*) / 2 + 1]) / 2
      ELSE round(avg(s.utility ORDER BY s.trial_id)::numeric, 12)::float8 END,
    CASE WHEN NOT ${hasInfiniteSeed} THEN stddev_samp(s.utility ORDER BY s.trial_id) END, bool_or(s.below)
  FROM (SELECT DISTINCT sweep_id, configuration_index FROM trials WHERE id = ANY($1)) AS k
  JOIN trials t USING (sweep_id, configuration_index)
  JOIN scores s ON s.trial_id = t.id
  GROUP BY s.sweep_id, s.configuration_index, s.ordinal, s.metric
  ORDER BY s.sweep_id, s.configuration_index, s.ordinal, s.metric
  ON CONFLICT (sweep_id, configuration_index, ordinal, metric) DO UPDATE
  SET trial_id = excluded.trial_id, utility = excluded.utility, deviation = excluded.deviation, below = excluded.below
  WHERE (c.trial_id, c.utility, c.deviation, c.below) IS DISTINCT FROM (excluded.trial_id, excluded.utility, excluded.deviation, excluded.below)`;

/**
 * Runs the statement twice. The first run locks the rows, and waits for a transaction that scores another seed. The second run sees the
 * rows that this transaction committed.
 */
const averageSeeds = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  await tx.run(upsertAverages, [trialIds]);
  await tx.run(upsertAverages, [trialIds]);
};

/** SQL: whether the trial `id` is one of `$2`. Null: all trials are. */
const isAmong = (id: string): string => `($2::text[] IS NULL OR ${id} = ANY($2))`;

/**
 * Scores the trials that share these attack stages, or those `among` them. It locks the trials, so when the last two evaluations complete at once, the second
 * transaction sees both.
 */
export const scoreStages = async (
  tx: Tx,
  stageIds: readonly string[],
  among: readonly string[] | null = null,
): Promise<void> => {
  if (stageIds.length === 0) return;
  const trials = await tx.query(
    { id: text() },
    `SELECT id FROM trials WHERE id IN (SELECT trial_id FROM trial_stages WHERE stage_id = ANY($1) AND ${isAmong('trial_id')})
     ORDER BY id FOR NO KEY UPDATE`,
    [stageIds, among],
  );
  await scoreTrials(
    tx,
    trials.map((trial) => trial.id),
  );
};

/** Scores these trials, which the caller has locked. */
const scoreTrials = async (tx: Tx, trialIds: readonly string[]): Promise<void> => {
  if (trialIds.length === 0) return;
  await scoreAttacks(tx, trialIds);
  await scoreWorstCases(tx, trialIds);
  await updateVerdicts(tx, trialIds);
  await averageSeeds(tx, trialIds);
};

/**
 * Scores those of these trials of a new sweep whose evaluations already exist. Other trials may have the same worst cases. The caller has
 * locked the trials.
 */
export const inheritScores = async (tx: Tx, lockedIds: readonly string[]): Promise<void> => {
  const evaluated = await tx.query(
    { id: text() },
    'SELECT DISTINCT ts.trial_id AS id FROM trial_stages ts JOIN evaluations e ON e.stage_id = ts.stage_id WHERE ts.trial_id = ANY($1)',
    [lockedIds],
  );
  if (evaluated.length === 0) return;
  const trialIds = evaluated.map(({ id }) => id);
  await scoreAttacks(tx, trialIds);
  await copyWorstCases(tx, trialIds);
  await scoreWorstCases(tx, trialIds);
  await updateVerdicts(tx, trialIds);
  await averageSeeds(tx, trialIds);
};

/** Copies to each trial (or to those `among` them) the clean accuracy of its classifier, measured on the test images after the last epoch. */
export const noteCleanAccuracy = async (
  tx: Tx,
  classifyStages: readonly string[],
  among: readonly string[] | null = null,
): Promise<void> => {
  if (classifyStages.length === 0) return;
  await tx.run(
    `WITH measured AS (
       SELECT t.id, m.value
       FROM stages s JOIN chains c ON c.hash = s.chain
       JOIN metrics m ON m.chain_id = c.id AND m.name = 'cleanAccuracy' AND m.epoch = s.epochs
       JOIN trial_stages ts ON ts.stage_id = s.id JOIN trials t ON t.id = ts.trial_id
       WHERE s.id = ANY($1) AND s.status = 'completed' AND t.clean_accuracy IS DISTINCT FROM m.value
         AND ${isAmong('t.id')}
       ORDER BY t.id FOR NO KEY UPDATE OF t
     )
     UPDATE trials t SET clean_accuracy = measured.value FROM measured WHERE t.id = measured.id`,
    [classifyStages, among],
  );
};
