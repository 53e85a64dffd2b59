/** On whose account a stage is scheduled: of the running sweeps that need it, the one with the highest priority, then the oldest. */
import type { Tx } from '../connection/transaction.ts';

/**
 * Changes of structure (submit, pause, resume, cancel, retry, delete, collect) come one after the other: what one of them reads of the
 * others' work holds until it commits. Attempts do not wait for it.
 */
export const lockStructure = (tx: Tx) =>
  tx.query("SELECT pg_advisory_xact_lock(hashtext('funnel structure'))");

/**
 * Assigns the unfinished stages among those of `sweepId` anew. None of their sweeps running: they are held, and a running one is told to
 * stop by its next heartbeat.
 */
export const schedule = (tx: Tx, sweepId: string) =>
  tx.query(
    `UPDATE stages s SET sweep_id = turn.sweep_id, position = coalesce(turn.position, s.position)
     FROM sweep_stages mine
     JOIN stages old ON old.id = mine.stage_id AND old.status IN ('waiting', 'ready', 'running')
     LEFT JOIN LATERAL (
       SELECT l.sweep_id, l.position FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
       WHERE l.stage_id = old.id AND w.status = 'running'
       ORDER BY w.priority DESC, w.id LIMIT 1
     ) AS turn ON true
     WHERE mine.sweep_id = $1 AND s.id = old.id AND s.sweep_id IS DISTINCT FROM turn.sweep_id`,
    [sweepId],
  );

/** Ready stages on the account of this sweep, to ring for: a walk through the index of ready stages. */
export const readyStages = async (tx: Tx, sweepId: string): Promise<readonly string[]> => {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM stages WHERE sweep_id = $1 AND status = 'ready' AND ready_at <= now() ORDER BY position LIMIT 1000`,
    [sweepId],
  );
  return rows.map((row) => row.id);
};
