/** Pause, resume, cancel, retry and delete a whole sweep. */
import { AppError, type ClientLimits, endedStatuses, type StoredSweepStatus } from '@funnel/contracts';
import { bool, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';
import { scheduleStages } from '../lifecycle/scheduling.ts';
import { markSearch } from '../searches/due-searches.ts';
import { refuseRetry } from '../submission/client-use.ts';
import { cancelStages } from './cancel-stages.ts';
import { tryLockSweep } from './lock-sweep.ts';
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
    await markSearch(tx, id);
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
    const { changes, ...more } = await beginAction(tx, id, 'cancel', running !== null);
    const events = [{ type: 'sweep', sweepId: id, status: 'cancelled' }] as const;
    await propagate(tx, { ...more, changes: [...stopped, ...changes], events });
  });

/** Deletes a sweep that has ended, and the stages and checkpoints that only this sweep needed. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const deleteSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    const running = await tryLockSweep(tx, id, 'delete', [...endedStatuses, 'cancelled']);
    await tx.audit({ action: 'deleteSweep', subject: id });
    await tx.run('DELETE FROM idempotency_keys WHERE sweep_id = $1', [id]); // the same request may make a new sweep now
    await propagate(tx, await beginAction(tx, id, 'delete', running !== null));
  });

/** Whether a stage or a trial of the sweep failed. The counts leave out stages that only other sweeps' trials need. */
const hasFailed = async (tx: Tx, id: string): Promise<boolean> => {
  const [row] = await tx.query(
    { failed: bool() },
    `SELECT EXISTS (SELECT FROM trials WHERE sweep_id = $1 AND status = 'failed')
       OR coalesce((SELECT sum(count) FROM sweep_counts WHERE sweep_id = $1 AND subject LIKE 'stage:%:failed'), 0) > 0
       OR EXISTS (SELECT FROM sweep_stages l JOIN stages s ON s.id = l.stage_id
         WHERE l.sweep_id = $1 AND NOT l.direct AND s.status = 'failed') AS failed`,
    [id],
  );
  return row!.failed;
};

/** A paused sweep stays paused; every other one runs again. */
const reopenSweep = async (tx: Tx, id: string): Promise<StoredSweepStatus> => {
  const [row] = await tx.query(
    { status: text<StoredSweepStatus>() },
    `UPDATE sweeps SET status = CASE WHEN status = 'paused' THEN 'paused' ELSE 'running' END, finished_at = NULL
     WHERE id = $1 RETURNING status`,
    [id],
  );
  return row!.status;
};

/**
 * Gives failed stages new attempts. `limits`: those of the client that submitted the sweep. (Default: none) Errors: NOT_FOUND,
 * INVALID_TRANSITION (cancelled, or nothing failed), TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES.
 */
export const retrySweep = (db: Db, id: string, limits?: ClientLimits): Promise<void> =>
  transaction(db, async (tx) => {
    const running = await tryLockSweep(tx, id, 'retry', ['running', 'paused', ...endedStatuses]);
    if (!(await hasFailed(tx, id)))
      throw new AppError('INVALID_TRANSITION', `Expected failed stages to retry, but sweep ${id} has none`, {
        hint: `A stage that diverged or collapsed would do so again. \`npx funnel trials ${id}\` shows how its trials ended.`,
      });
    if (limits) await refuseRetry(tx, id, limits);
    await tx.audit({ action: 'retrySweep', subject: id });
    const status = await reopenSweep(tx, id);
    await markSearch(tx, id);
    const changes = await beginAction(tx, id, 'retry', running !== null);
    await propagate(tx, { ...changes, events: [{ type: 'sweep', sweepId: id, status }] });
  });
