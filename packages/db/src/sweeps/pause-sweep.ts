import type { Db } from '../connection/db.ts';
import { transaction } from '../connection/transaction.ts';
import { readyStages, schedule } from '../lifecycle/schedule.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import type { Ready } from '../types.ts';
import { lockSweep } from './lock-sweep.ts';

/**
 * Holds what only this sweep needs: nothing new starts, and what runs is told by its next heartbeat to checkpoint and hand back. Stages
 * that another running sweep needs go on, on its account. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const pauseSweep = (db: Db, id: string): Promise<Ready> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'pause', ['running']);
    await tx.query(`UPDATE sweeps SET status = 'paused' WHERE id = $1`, [id]);
    await schedule(tx, id);
    await settleChanges(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: 'paused' }] });
    return { readyStages: [] };
  });

/** Goes on from the checkpoints. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const resumeSweep = (db: Db, id: string): Promise<Ready> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'resume', ['paused']);
    await tx.query(`UPDATE sweeps SET status = 'running' WHERE id = $1`, [id]);
    await schedule(tx, id);
    await settleChanges(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: 'running' }] });
    return { readyStages: await readyStages(tx, id) };
  });
