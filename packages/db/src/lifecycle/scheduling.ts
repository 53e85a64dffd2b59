/**
 * The sweep that a stage is scheduled for (`stages.sweep_id`): of the running sweeps that need it, the one with the highest priority, then the
 * oldest. Its priority and its limit decide when the stage is claimed. A stage that no running sweep needs is held: nobody claims it.
 */
import type { Tx } from '../connection/transaction.ts';
import { lockOrder } from './transitions.ts';

/**
 * Lets the operations on whole sweeps (submit, pause, resume, cancel, retry, delete, collect) run one after the other, so that what one of them
 * has read stays true until it commits. Attempts do not take this lock.
 */
export const lockStructure = (tx: Tx) => tx.run("SELECT pg_advisory_xact_lock(hashtext('funnel structure'))");

/**
 * SQL: assigns a sweep to each unfinished stage that `selection` gives as `id`. It locks them in no order: to sort a hundred thousand stages costs
 * more than the rare deadlock with an attempt, after which the transaction runs again.
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
 * SQL: locks the stages of `selection` that meet `condition`. A stage is locked in one statement and assigned in the next: when two transactions
 * concern one stage (one sweep ends while another begins to need it, or retries it), the later one sees both sweeps as they are.
 */
const lock = (selection: string, condition: string): string =>
  `SELECT FROM stages s WHERE s.id IN (${selection}) AND ${condition} ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE`;

const ofSweep = 'SELECT stage_id AS id FROM sweep_stages WHERE sweep_id = $1';
/** Stages that are scheduled for another sweep. The end of a sweep cannot concern held stages, or those scheduled for this sweep. */
const isForOtherSweep = `s.status IN ('waiting', 'ready', 'running') AND s.sweep_id <> $1`;

/**
 * Schedules the unfinished stages of a sweep anew, after the sweep changed. A running stage that is held from now on learns of it by its next
 * heartbeat, and is released.
 */
export const scheduleSweep = async (tx: Tx, sweepId: string): Promise<void> => {
  await tx.run(lock(ofSweep, isForOtherSweep), [sweepId]);
  await tx.run(assign(ofSweep), [sweepId]);
};

/** Schedules stages anew that this transaction has locked. */
export const scheduleStages = (tx: Tx, stageIds: readonly string[]) =>
  tx.run(assign('SELECT unnest($1::text[]) AS id'), [stageIds]);

/** SQL: stages that may be unfinished when the sweeps `$1` end: those that theirs waited for, and failed ones that another sweep may retry. */
const leftBehind = `
  SELECT stage_id AS id FROM sweep_stages WHERE sweep_id = ANY($1) AND NOT direct
  UNION
  SELECT ts.stage_id FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE t.sweep_id = ANY($1) AND t.status = 'failed'`;

/** Schedules the stages that sweeps leave unfinished when they end for another sweep that needs them. */
export const scheduleLeftBehind = async (tx: Tx, sweepIds: readonly string[]): Promise<void> => {
  await tx.run(lock(leftBehind, `s.status <> 'completed'`), [sweepIds]);
  await tx.run(assign(leftBehind), [sweepIds]);
};

/** Schedules stages anew that are scheduled for a sweep that has ended: a stage can get such a sweep in the moment in which the sweep ends. */
export const scheduleOrphans = (tx: Tx) =>
  tx.run(
    assign(
      `SELECT s.id FROM stages s JOIN sweeps w ON w.id = s.sweep_id
       WHERE s.status IN ('waiting', 'ready', 'running') AND w.status IN ('completed', 'cancelled') LIMIT 1000`,
    ),
  );
