import type { StageKind, StageStatus } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import type { CountChange } from '../lifecycle/counts.ts';
import { changesTo, idsOf } from '../lifecycle/move-stages.ts';
import { nearness, schedule } from '../lifecycle/schedule.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import type { StageChange } from '../lifecycle/stage-change.ts';
import type { Ready } from '../types.ts';
import { lockSweep } from './lock-sweep.ts';
import { releaseCarried } from './release-carried.ts';

/**
 * The unfinished stages of the sweep that no sweep still under way needs, and their running attempts. In two statements: an attempt that
 * was just being claimed is seen only by the second one.
 */
const cancelStages = async (tx: Tx, sweepId: string): Promise<readonly StageChange[]> => {
  const rows = await tx.query<{ id: string; kind: StageKind; was: StageStatus; fencing_token: number }>(
    `WITH old AS (
       SELECT s.id, s.status, s.fencing_token FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
       WHERE l.sweep_id = $1 AND s.status IN ('waiting', 'ready', 'running')
         AND NOT EXISTS (
           SELECT FROM sweep_stages other JOIN sweeps w ON w.id = other.sweep_id
           WHERE other.stage_id = s.id AND w.id <> $1 AND w.status IN ('running', 'paused'))
       ORDER BY ${nearness('s')}, s.id FOR NO KEY UPDATE OF s
     )
     UPDATE stages s SET status = 'cancelled', lease_until = NULL, sweep_id = NULL, finished_at = now(), images_per_second = NULL
     FROM old WHERE s.id = old.id
     RETURNING s.id, s.kind, old.status AS was, old.fencing_token`,
    [sweepId],
  );
  const running = rows.filter(({ was }) => was === 'running');
  await tx.query(
    `UPDATE attempts a SET outcome = 'cancelled', ended_at = now() FROM unnest($1::text[], $2::int[]) AS r (id, fencing_token)
     WHERE a.stage_id = r.id AND a.fencing_token = r.fencing_token`,
    [running.map(({ id }) => id), running.map((row) => row.fencing_token)],
  );
  return changesTo('cancelled', rows);
};

/** Its trials that have not ended are cancelled, even where another sweep goes on with their stages. */
const cancelTrials = async (tx: Tx, sweepId: string): Promise<readonly CountChange[]> => {
  const rows = await tx.query<{ was: string; n: number }>(
    `WITH old AS (
       SELECT id, status FROM trials WHERE sweep_id = $1 AND status IN ('waiting', 'running') ORDER BY id FOR NO KEY UPDATE
     ), changed AS (
       UPDATE trials t SET status = 'cancelled', finished_at = now() FROM old WHERE t.id = old.id RETURNING old.status AS was
     )
     SELECT was, count(*) AS n FROM changed GROUP BY was`,
    [sweepId],
  );
  return rows.flatMap(({ was, n }) => [
    { sweepId, subject: `trial:${was}`, delta: -n },
    { sweepId, subject: 'trial:cancelled', delta: n },
  ]);
};

/**
 * Stops what only this sweep needs, at once: running attempts are fenced off here and now, and their workers learn it by the next
 * heartbeat. Finished results stay. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const cancelSweep = (db: Db, id: string): Promise<Ready> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'cancel', ['running', 'paused']);
    await tx.query(`UPDATE sweeps SET status = 'cancelled', finished_at = now() WHERE id = $1`, [id]);
    const released = await releaseCarried(tx, id);
    const cancelled = await cancelStages(tx, id);
    await schedule(tx, id);
    const counts = await cancelTrials(tx, id);
    const events = [{ type: 'sweep', sweepId: id, status: 'cancelled' }] as const;
    await settleChanges(tx, { changes: [...cancelled, ...released], counts, events });
    return { readyStages: idsOf(released, 'ready') };
  });
