import { AppError, type SweepStatus } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';

/** Locks a sweep that is in one of these statuses. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const lockSweep = async (
  tx: Tx,
  id: string,
  action: string,
  allowed: readonly SweepStatus[],
): Promise<SweepStatus> => {
  const [row] = await tx.query<{ status: SweepStatus }>(
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
