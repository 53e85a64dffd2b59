/** Pause, resume, cancel and retry a whole sweep. */
import { AppError, type StageKind, type StageStatus, type StoredSweepStatus } from '@funnel/contracts';
import { int4, int8, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { isFree } from '../lifecycle/dependants.ts';
import { announceSweep, type CountChange, propagate, trialCounts } from '../lifecycle/propagate.ts';
import { scheduleStages, scheduleSweep } from '../lifecycle/scheduling.ts';
import { idsOf, move, type StageChange, transitionSql } from '../lifecycle/transitions.ts';
import { deriveSweepTrials } from '../lifecycle/trials.ts';
import { endedStatuses, lockSweep } from './lock-sweep.ts';
import { releaseCarried } from './release-carried.ts';

const setStatus = (tx: Tx, id: string, status: StoredSweepStatus) =>
  tx.run(
    `UPDATE sweeps SET status = $2, finished_at = CASE WHEN $2 = 'cancelled' THEN now() END WHERE id = $1`,
    [id, status],
  );

/**
 * Holds the stages that only this sweep needs: no further one starts, and the next heartbeat tells the workers of running ones to write a
 * checkpoint and release the stage. Stages that another running sweep needs are scheduled for that sweep. Errors: NOT_FOUND,
 * INVALID_TRANSITION.
 */
export const pauseSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'pause', ['running']);
    await tx.audit({ action: 'pauseSweep', subject: id });
    await setStatus(tx, id, 'paused');
    await scheduleSweep(tx, id);
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: 'paused' }] });
  });

/** Schedules the stages of a paused sweep again; they continue from their checkpoints. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const resumeSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'resume', ['paused']);
    await tx.audit({ action: 'resumeSweep', subject: id });
    await setStatus(tx, id, 'running');
    await scheduleSweep(tx, id);
    await announceSweep(tx, id);
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: 'running' }] });
  });

const cancelledColumns = {
  id: text(),
  kind: text<StageKind>(),
  from: text<StageStatus>(),
  fencing_token: int4(),
};

/**
 * Cancels the unfinished stages of the sweep that no other live sweep needs, and their running attempts. Uses two statements, because only
 * the second one sees an attempt that was claimed during the first. The attempts end later, when their workers have stopped the trainers.
 */
const cancelStages = async (tx: Tx, sweepId: string): Promise<readonly StageChange[]> => {
  const rows = await tx.query(
    cancelledColumns,
    transitionSql(
      'cancel',
      `SELECT s.id FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
       WHERE l.sweep_id = $1 AND s.status IN ('waiting', 'ready', 'running')
         AND NOT EXISTS (
           SELECT FROM sweep_stages other JOIN sweeps w ON w.id = other.sweep_id
           WHERE other.stage_id = s.id AND w.id <> $1 AND w.status IN ('running', 'paused'))`,
      { returning: 's.id, s.kind, target.was AS "from", s.fencing_token' },
    ),
    [sweepId],
  );
  const running = rows.filter(({ from }) => from === 'running');
  await tx.run(
    `UPDATE attempts a SET outcome = 'cancelled' FROM unnest($1::text[], $2::int[]) AS r (id, fencing_token)
     WHERE a.stage_id = r.id AND a.fencing_token = r.fencing_token`,
    [running.map(({ id }) => id), running.map((row) => row.fencing_token)],
  );
  return rows.map(({ id, kind, from }) => ({ id, kind, from, to: 'cancelled' }));
};

/** Cancels the trials of the sweep that have not ended, even if another sweep goes on with their stages. */
const cancelTrials = async (tx: Tx, sweepId: string): Promise<readonly CountChange[]> => {
  const rows = await tx.query(
    { from: text(), n: int8() },
    `WITH old AS (
       SELECT id, status FROM trials WHERE sweep_id = $1 AND status IN ('waiting', 'running') ORDER BY id FOR NO KEY UPDATE
     ), changed AS (
       UPDATE trials t SET status = 'cancelled', finished_at = now() FROM old WHERE t.id = old.id RETURNING old.status AS "from"
     )
     SELECT "from", count(*) AS n FROM changed GROUP BY 1`,
    [sweepId],
  );
  return rows.flatMap(({ from, n }) => [
    { sweepId, subject: `trial:${from}`, delta: -n },
    { sweepId, subject: 'trial:cancelled', delta: n },
  ]);
};

/**
 * Stops the stages that only this sweep needs, at once: from now on the database refuses writes of their running attempts, and the workers
 * learn this from the next heartbeat. Finished results stay. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const cancelSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'cancel', ['running', 'paused']);
    await tx.audit({ action: 'cancelSweep', subject: id });
    await setStatus(tx, id, 'cancelled');
    const released = await releaseCarried(tx, id);
    const cancelled = await cancelStages(tx, id);
    await scheduleSweep(tx, id);
    const counts = await cancelTrials(tx, id);
    const events = [{ type: 'sweep', sweepId: id, status: 'cancelled' }] as const;
    await propagate(tx, { changes: [...cancelled, ...released], counts, events });
  });

/**
 * The user may have mended what stages ran out of, such as memory that other programs used. So workers try stages like these again.
 */
const forgetRefusals = (tx: Tx, stageIds: readonly string[]): Promise<void> =>
  tx.run('DELETE FROM refusals WHERE need_id IN (SELECT need_id FROM stages WHERE id = ANY($1))', [stageIds]);

/** Reopens the failed stages of the sweep, and the stages of any live sweep that were skipped because of them. */
const reopenFailed = (tx: Tx, sweepId: string): Promise<readonly StageChange[]> =>
  move(
    tx,
    'reopen',
    `WITH RECURSIVE failed AS (
       SELECT s.id FROM stages s JOIN sweep_stages l ON l.stage_id = s.id WHERE l.sweep_id = $1 AND s.status = 'failed'
       UNION
       SELECT s.id FROM failed CROSS JOIN LATERAL (
         SELECT id FROM stages WHERE depends_on = failed.id AND status = 'skipped' AND skip_cause = 'failed'
         UNION ALL
         SELECT id FROM stages WHERE status = 'skipped' AND skip_cause = 'failed' AND surrogates <> '{}' AND surrogates && ARRAY[failed.id]
       ) AS s
       WHERE EXISTS (SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
           WHERE l.stage_id = s.id AND (w.id = $1 OR w.status IN ('running', 'paused')))
     )
     SELECT s.id, CASE WHEN ${isFree('s')} THEN 'ready' ELSE 'waiting' END AS status
     FROM failed JOIN stages s USING (id)`,
    [sweepId],
  );

/** Gives failed stages new attempts. Errors: NOT_FOUND, INVALID_TRANSITION (cancelled, or nothing failed). */
export const retrySweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    const before = await lockSweep(tx, id, 'retry', ['running', 'paused', ...endedStatuses]);
    const changes = await reopenFailed(tx, id);
    if (changes.length === 0)
      throw new AppError('INVALID_TRANSITION', `Expected failed stages to retry, but sweep ${id} has none`);
    await tx.audit({ action: 'retrySweep', subject: id });
    const status = before === 'paused' ? 'paused' : 'running';
    await setStatus(tx, id, status);
    await scheduleSweep(tx, id);
    await scheduleStages(tx, idsOf(changes));
    await forgetRefusals(tx, idsOf(changes));
    const counts = trialCounts(await deriveSweepTrials(tx, id));
    await propagate(tx, { changes, counts, events: [{ type: 'sweep', sweepId: id, status }] });
  });
