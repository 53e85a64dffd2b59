/** On whose account a stage is scheduled: of the running sweeps that need it, the one with the highest priority, then the oldest. */
import type { Tx } from '../connection/transaction.ts';
import { lockOrder } from './transitions.ts';

/**
 * Changes of structure (submit, pause, resume, cancel, retry, delete, collect) come one after the other: what one of them reads of the
 * others' work holds until it commits. Attempts do not wait for it.
 */
export const lockStructure = (tx: Tx) => tx.run("SELECT pg_advisory_xact_lock(hashtext('funnel structure'))");

/**
 * SQL: assigns the unfinished stages among those that `which` selects as `id`. In no order, since ordering a hundred thousand of them costs
 * more than the rare deadlock with an attempt, after which the change is made again.
 */
const assign = (which: string): string =>
  `UPDATE stages s SET sweep_id = turn.sweep_id, ordinal = coalesce(turn.ordinal, s.ordinal)
   FROM (${which}) AS mine
   JOIN stages old ON old.id = mine.id AND old.status IN ('waiting', 'ready', 'running')
   LEFT JOIN LATERAL (
     SELECT l.sweep_id, l.ordinal FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
     WHERE l.stage_id = old.id AND w.status = 'running'
     ORDER BY w.priority DESC, w.id LIMIT 1
   ) AS turn ON true
   WHERE s.id = old.id AND s.sweep_id IS DISTINCT FROM turn.sweep_id`;

/**
 * SQL: locks those of them that `others` is true of. A stage is locked in one statement and assigned in the next one: of two changes that
 * concern it at once (one sweep ends, another one begins with it or tries it again), the later then sees both sweeps as they are.
 */
const lock = (which: string, others: string): string =>
  `SELECT FROM stages s WHERE s.id IN (${which}) AND ${others} ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE`;

const ofSweep = 'SELECT stage_id AS id FROM sweep_stages WHERE sweep_id = $1';
/** Stages that another sweep has. Those of this sweep, and those that are held, are of no concern to a sweep that ends. */
const onOtherAccounts = `s.status IN ('waiting', 'ready', 'running') AND s.sweep_id <> $1`;

/**
 * Assigns the unfinished stages among those of `sweepId` anew. None of their sweeps running: they are held, and a running one is told to
 * stop by its next heartbeat.
 */
export const schedule = async (tx: Tx, sweepId: string): Promise<void> => {
  await tx.run(lock(ofSweep, onOtherAccounts), [sweepId]);
  await tx.run(assign(ofSweep), [sweepId]);
};

/** The same for stages that this transaction has locked, whoever has them. */
export const scheduleStages = (tx: Tx, stageIds: readonly string[]) =>
  tx.run(assign('SELECT unnest($1::text[]) AS id'), [stageIds]);

const left = `
  SELECT stage_id AS id FROM sweep_stages WHERE sweep_id = ANY($1) AND NOT direct
  UNION
  SELECT ts.stage_id FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE t.sweep_id = ANY($1) AND t.status = 'failed'`;

/**
 * The same for the stages that sweeps leave unfinished when they end: stages of others that theirs waited for, and failed ones that others
 * try again, perhaps in this very moment. A sweep that needs them goes on with them on its own account.
 */
export const passOn = async (tx: Tx, sweepIds: readonly string[]): Promise<void> => {
  await tx.run(lock(left, `s.status <> 'completed'`), [sweepIds]);
  await tx.run(assign(left), [sweepIds]);
};

/** The same for stages that are still on the account of a sweep that has ended: one was given to it in the moment in which it ended. */
export const reassignLeft = (tx: Tx) =>
  tx.run(
    assign(
      `SELECT s.id FROM stages s JOIN sweeps w ON w.id = s.sweep_id
       WHERE s.status IN ('waiting', 'ready', 'running') AND w.status IN ('completed', 'cancelled') LIMIT 1000`,
    ),
  );
