/** The cancellation of stages and trials of a cancelled sweep. */
import type { StageKind, StageStatus } from '@funnel/contracts';
import { int4, int8, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { CountChange } from '../lifecycle/propagate.ts';
import { scheduleStagesOf } from '../lifecycle/scheduling.ts';
import { type StageChange, transitionSql } from '../lifecycle/transitions.ts';
import { releaseCarried } from './release-carried.ts';

const cancelledColumns = {
  id: text(),
  kind: text<StageKind>(),
  from: text<StageStatus>(),
  fencing_token: int4(),
};

/**
 * Cancels those of these stages that have not ended and that no other live sweep needs, and their running attempts. Uses two statements,
 * because only the second one sees an attempt that was claimed during the first. The attempts end later, when their workers have stopped the
 * trainers.
 */
const cancelUnneeded = async (
  tx: Tx,
  sweepId: string,
  stageIds: readonly string[],
): Promise<readonly StageChange[]> => {
  const rows = await tx.query(
    cancelledColumns,
    transitionSql(
      'cancel',
      `SELECT s.id FROM stages s
       WHERE s.id = ANY($2) AND s.status IN ('waiting', 'ready', 'running')
         AND NOT EXISTS (
           SELECT FROM sweep_stages other JOIN sweeps w ON w.id = other.sweep_id
           WHERE other.stage_id = s.id AND w.id <> $1 AND w.status IN ('running', 'paused'))`,
      { returning: 's.id, s.kind, target.was AS "from", s.fencing_token' },
    ),
    [sweepId, stageIds],
  );
  const running = rows.filter(({ from }) => from === 'running');
  await tx.run(
    `UPDATE attempts a SET outcome = 'cancelled' FROM unnest($1::text[], $2::int[]) AS r (id, fencing_token)
     WHERE a.stage_id = r.id AND a.fencing_token = r.fencing_token`,
    [running.map(({ id }) => id), running.map((row) => row.fencing_token)],
  );
  return rows.map(({ id, kind, from }) => ({ id, kind, from, to: 'cancelled' }));
};

/** Cancels these stages of a cancelled sweep, or schedules them for the other sweeps that need them. */
export const cancelStages = async (
  tx: Tx,
  sweepId: string,
  stageIds: readonly string[],
): Promise<readonly StageChange[]> => {
  if (stageIds.length === 0) return [];
  const released = await releaseCarried(tx, sweepId, stageIds);
  const cancelled = await cancelUnneeded(tx, sweepId, stageIds);
  await scheduleStagesOf(tx, sweepId, stageIds);
  return [...cancelled, ...released];
};

/**
 * Cancels up to `limit` trials of the sweep that have not ended, even if another sweep goes on with their stages. `isLast`: there are
 * no others.
 */
export const cancelTrials = async (
  tx: Tx,
  sweepId: string,
  limit: number,
): Promise<{ readonly counts: readonly CountChange[]; readonly isLast: boolean }> => {
  const rows = await tx.query(
    { from: text(), n: int8() },
    `WITH old AS (
       SELECT id, status FROM trials WHERE id IN (
         SELECT id FROM trials WHERE sweep_id = $1 AND status IN ('waiting', 'running') LIMIT $2
       ) ORDER BY id FOR NO KEY UPDATE
     ), changed AS (
       UPDATE trials t SET status = 'cancelled', finished_at = now()
       FROM old WHERE t.id = old.id AND t.status IN ('waiting', 'running') RETURNING old.status AS "from"
     )
     SELECT "from", count(*) AS n FROM changed GROUP BY 1`,
    [sweepId, limit],
  );
  const counts = rows.flatMap(({ from, n }): CountChange[] => [
    { sweepId, subject: `trial:${from}`, delta: -n },
    { sweepId, subject: 'trial:cancelled', delta: n },
  ]);
  return { counts, isLast: rows.reduce((sum, { n }) => sum + n, 0) < limit };
};
