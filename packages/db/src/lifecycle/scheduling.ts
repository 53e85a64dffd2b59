/**
 * Chooses the sweep for which a stage is scheduled (`stages.sweep_id`): of the running sweeps that need the stage, the one with the highest
 * priority, then the oldest. The priority and the limit of this sweep decide when a worker claims the stage. A stage that no running sweep
 * needs is held: no worker claims it.
 */
import type { Tx } from '../connection/transaction.ts';
import { lockOrder } from './transitions.ts';

/**
 * SQL: assigns a sweep to each unfinished stage that `selection` gives as `id`. It locks the stages in no fixed order: sorting a hundred
 * thousand stages costs more than the rare deadlock with an attempt, after which the transaction runs again.
 */
const assign = (selection: string): string =>
  `UPDATE stages s SET sweep_id = turn.sweep_id, ordinal = coalesce(turn.ordinal, s.ordinal)
   FROM (${selection}) AS selected
   JOIN stages old ON old.id = selected.id AND old.status IN ('waiting', 'ready', 'running')
   LEFT JOIN LATERAL (
     SELECT l.sweep_id, l.ordinal FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
     WHERE l.stage_id = old.id AND w.status = 'running'
     ORDER BY w.priority DESC, w.id LIMIT 1
   ) AS turn ON true
   WHERE s.id = old.id AND s.sweep_id IS DISTINCT FROM turn.sweep_id`;

/**
 * SQL: locks the stages of `selection` that meet `condition`. A stage is locked in one statement and assigned in the next. Two transactions
 * may concern one stage: one sweep ends while another sweep begins to need the stage or retries it. The later transaction then sees the new
 * state of both sweeps.
 */
const lock = (selection: string, condition: string): string =>
  `SELECT FROM stages s WHERE s.id IN (${selection}) AND ${condition} ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE`;

/** Stages that are scheduled for another sweep. Only these can be concerned when that sweep ends at the same time. */
const isForOtherSweep = `s.status IN ('waiting', 'ready', 'running') AND s.sweep_id <> $1`;

/**
 * Schedules the unfinished ones of these stages of a sweep again after a change of the sweep. If a running stage is held from now on, its
 * worker learns this from the next heartbeat and releases the stage.
 */
export const scheduleStagesOf = async (
  tx: Tx,
  sweepId: string,
  stageIds: readonly string[],
): Promise<void> => {
  await tx.run(lock('SELECT unnest($2::text[])', isForOtherSweep), [sweepId, stageIds]);
  await scheduleStages(tx, stageIds);
};

/** Schedules stages again that this transaction has locked. */
export const scheduleStages = (tx: Tx, stageIds: readonly string[]) =>
  tx.run(assign('SELECT unnest($1::text[]) AS id'), [stageIds]);

/** The largest number of failed trials whose stages a sweep looks at when it ends. The reconciler finds the stages of the others within a minute. */
const maxFailed = 200;

/**
 * SQL: stages that may be unfinished when the sweeps `$1` end: stages of other sweeps that their stages waited for, and failed stages that
 * another sweep may retry.
 */
const leftBehind = `
  SELECT stage_id AS id FROM sweep_stages WHERE sweep_id = ANY($1) AND NOT direct
  UNION
  SELECT ts.stage_id
  FROM (SELECT id FROM trials WHERE sweep_id = ANY($1) AND status = 'failed' LIMIT ${maxFailed}) AS t
  JOIN trial_stages ts ON ts.trial_id = t.id`;

/** When sweeps end, schedules the stages that they leave unfinished for another sweep that needs them. */
export const scheduleLeftBehind = async (tx: Tx, sweepIds: readonly string[]): Promise<void> => {
  await tx.run(lock(leftBehind, `s.status <> 'completed'`), [sweepIds]);
  await tx.run(assign(leftBehind), [sweepIds]);
};

/**
 * Reschedules stages that are scheduled for an ended sweep. This can happen when a stage is assigned to a sweep at the moment of the
 * sweep's end. SQL: `except` selects sweeps that it leaves alone.
 */
export const scheduleOrphans = (tx: Tx, except: string) =>
  tx.run(
    assign(
      `SELECT s.id FROM stages s JOIN sweeps w ON w.id = s.sweep_id
       WHERE s.status IN ('waiting', 'ready', 'running') AND w.status NOT IN ('running', 'paused') AND w.id NOT IN (${except}) LIMIT 1000`,
    ),
  );
