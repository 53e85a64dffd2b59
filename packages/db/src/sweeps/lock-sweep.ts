/** How a change of a sweep begins: alone among changes of structure, and in step with the attempts that write to the same rows. */
import { AppError, type SweepStatus } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { lockStructure } from '../lifecycle/accounts.ts';
import { lockOrder } from '../lifecycle/transitions.ts';

const lockRunning = (tx: Tx, sweepId: string): Promise<void> =>
  tx.run(
    `SELECT FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
     WHERE l.sweep_id = $1 AND s.status = 'running' ORDER BY s.id FOR NO KEY UPDATE OF s`,
    [sweepId],
  );

/**
 * Locks a sweep that is in one of these statuses, after its running stages: an attempt that ends writes to its stage, to what waits for
 * that, and to its sweeps, in this order. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const lockSweep = async (
  tx: Tx,
  id: string,
  action: string,
  allowed: readonly SweepStatus[],
): Promise<SweepStatus> => {
  await lockStructure(tx);
  await lockRunning(tx, id);
  const [row] = await tx.query(
    { status: text<SweepStatus>() },
    'SELECT status FROM sweeps WHERE id = $1 FOR NO KEY UPDATE',
    [id],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
  if (allowed.includes(row.status)) return row.status;
  throw new AppError(
    'INVALID_TRANSITION',
    `Expected a sweep that is ${allowed.join(' or ')} to ${action}, but ${id} is ${row.status}`,
    { status: row.status },
  );
};

/**
 * Locks the unfinished stages of a sweep. Whoever writes rows of a sweep for the sake of a stage has locked that stage
 * before it read which sweeps have it: so nobody is in the middle of such a write, and who comes later does not find the sweep any more.
 */
export const lockUnfinished = (tx: Tx, sweepId: string): Promise<void> =>
  tx.run(
    `SELECT FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
     WHERE l.sweep_id = $1 AND s.status IN ('waiting', 'ready', 'running')
     ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE OF s`,
    [sweepId],
  );
