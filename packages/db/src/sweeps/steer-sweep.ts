/** Pause, resume, cancel, retry and delete a whole sweep. */
import { AppError, type StoredSweepStatus } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { isFree } from '../lifecycle/dependants.ts';
import { propagate, trialCounts } from '../lifecycle/propagate.ts';
import { scheduleStages, scheduleSweep } from '../lifecycle/scheduling.ts';
import { idsOf, move, type StageChange } from '../lifecycle/transitions.ts';
import { deriveSweepTrials } from '../lifecycle/trials.ts';
import { cancelStages } from './cancel-stages.ts';
import { endedStatuses, lockSweep, tryLockSweep } from './lock-sweep.ts';
import { beginAction } from './sweep-actions.ts';

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
    const running = await tryLockSweep(tx, id, 'pause', ['running']);
    await tx.audit({ action: 'pauseSweep', subject: id });
    await setStatus(tx, id, 'paused');
    if (running) await scheduleStages(tx, running);
    const changes = await beginAction(tx, id, 'pause', running !== null);
    await propagate(tx, { ...changes, events: [{ type: 'sweep', sweepId: id, status: 'paused' }] });
  });

/** Schedules the stages of a paused sweep again; they continue from their checkpoints. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const resumeSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    const running = await tryLockSweep(tx, id, 'resume', ['paused']);
    await tx.audit({ action: 'resumeSweep', subject: id });
    await setStatus(tx, id, 'running');
    if (running) await scheduleStages(tx, running);
    const changes = await beginAction(tx, id, 'resume', running !== null);
    await propagate(tx, { ...changes, events: [{ type: 'sweep', sweepId: id, status: 'running' }] });
  });

/**
 * Stops the stages that only this sweep needs, at once: from now on the database refuses writes of their running attempts, and the workers
 * learn this from the next heartbeat. Finished results stay. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const cancelSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    const running = await tryLockSweep(tx, id, 'cancel', ['running', 'paused']);
    await tx.audit({ action: 'cancelSweep', subject: id });
    await setStatus(tx, id, 'cancelled');
    const stopped = running ? await cancelStages(tx, id, running) : [];
    const { changes, counts } = await beginAction(tx, id, 'cancel', running !== null);
    const events = [{ type: 'sweep', sweepId: id, status: 'cancelled' }] as const;
    await propagate(tx, { changes: [...stopped, ...changes], counts, events });
  });

/** Deletes a sweep that has ended, and the stages and checkpoints that only this sweep needed. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const deleteSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    const running = await tryLockSweep(tx, id, 'delete', [...endedStatuses, 'cancelled']);
    await tx.audit({ action: 'deleteSweep', subject: id });
    await tx.run('DELETE FROM idempotency_keys WHERE sweep_id = $1', [id]); // the same request may make a new sweep now
    await propagate(tx, await beginAction(tx, id, 'delete', running !== null));
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
