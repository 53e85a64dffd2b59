/** The locks that an operation on a whole sweep takes first. Attempts lock the same rows, in the same order. */
import { AppError, type StoredSweepStatus, statusText } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { lockStructure } from '../lifecycle/scheduling.ts';
import { lockOrder } from '../lifecycle/transitions.ts';

const lockRunning = (tx: Tx, sweepId: string): Promise<void> =>
  tx.run(
    `SELECT FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
     WHERE l.sweep_id = $1 AND s.status = 'running' ORDER BY s.id FOR NO KEY UPDATE OF s`,
    [sweepId],
  );

/** The statuses of a sweep whose trials have all ended by themselves. */
export const endedStatuses = [
  'completed',
  'completed-with-failures',
  'failed',
] as const satisfies readonly StoredSweepStatus[];

/**
 * Locks the running stages of a sweep, then the sweep, which must be in one of the `allowed` statuses. An attempt that ends also locks in
 * this order: its stage, the stages that depend on it, its sweeps. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const lockSweep = async (
  tx: Tx,
  id: string,
  action: string,
  allowed: readonly StoredSweepStatus[],
): Promise<StoredSweepStatus> => {
  await lockStructure(tx);
  await lockRunning(tx, id);
  const [row] = await tx.query(
    { status: text<StoredSweepStatus>() },
    'SELECT status FROM sweeps WHERE id = $1 FOR NO KEY UPDATE',
    [id],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
  if (allowed.includes(row.status)) return row.status;
  throw new AppError(
    'INVALID_TRANSITION',
    `Expected a sweep that is ${allowed.map(statusText).join(' or ')} to ${action}, but ${id} is ${statusText(row.status)}`,
    { status: row.status },
  );
};

/**
 * Locks the unfinished stages of a sweep. When a change of a stage writes rows of its sweeps, the transaction locks the stage first and
 * then reads the sweeps that need it. So after this lock no such write is in progress, and a later one no longer finds the deleted sweep.
 */
export const lockUnfinished = (tx: Tx, sweepId: string): Promise<void> =>
  tx.run(
    `SELECT FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
     WHERE l.sweep_id = $1 AND s.status IN ('waiting', 'ready', 'running')
     ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE OF s`,
    [sweepId],
  );
