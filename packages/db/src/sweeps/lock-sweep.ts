/** The locks that an operation on a whole sweep takes first. Attempts lock the same rows, in the same order. */
import { AppError, endedStatuses, joinWithOr, type StoredSweepStatus, statusText } from '@funnel/contracts';
import { bool, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { tryLockStructure } from '../lifecycle/structure-lock.ts';
import { lockOrder } from '../lifecycle/transitions.ts';

/** Locks and returns the running stages of a sweep. Few stages of all sweeps run, so the statement begins with these. */
export const lockRunning = async (tx: Tx, sweepId: string): Promise<readonly string[]> => {
  const rows = await tx.query(
    { id: text() },
    `WITH running AS MATERIALIZED (SELECT id FROM stages WHERE status = 'running')
     SELECT s.id FROM stages s
     WHERE s.status = 'running' AND s.id IN (
       SELECT r.id FROM running r WHERE EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = r.id AND l.sweep_id = $1))
     ORDER BY s.id FOR NO KEY UPDATE OF s`,
    [sweepId],
  );
  return rows.map((row) => row.id);
};

/** What to do instead of an action that the status of a sweep does not allow. */
const hintFor = (id: string, action: string, status: StoredSweepStatus): { readonly hint?: string } => {
  if (action === 'delete')
    return { hint: `Cancel it first: \`npx funnel cancel ${id}\`, or POST /v1/sweeps/${id}/cancel.` };
  if (status === 'cancelled' && !['pause', 'cancel'].includes(action))
    return {
      hint: 'A cancelled sweep does not go on. Submit its file again, with the same --set: `npx funnel submit FILE`. The new sweep takes all results of this one, and computes nothing twice.',
    };
  if (action === 'try a point' && endedStatuses.some((ended) => ended === status))
    return {
      hint: `Extend the search first: \`npx funnel extend ${id} --trials 1\`, or POST /v1/sweeps/${id}/extend.`,
    };
  return {};
};

/** Locks the sweep, which must be in one of the `allowed` statuses. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const lockRow = async (
  tx: Tx,
  id: string,
  action: string,
  allowed: readonly StoredSweepStatus[],
): Promise<StoredSweepStatus> => {
  const [row] = await tx.query(
    { status: text<StoredSweepStatus>(), deleting: bool() },
    `SELECT status, EXISTS (SELECT FROM sweep_actions a WHERE a.sweep_id = sweeps.id AND a.action = 'delete') AS deleting
     FROM sweeps WHERE id = $1 FOR NO KEY UPDATE`,
    [id],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
  if (allowed.includes(row.status) && !row.deleting) return row.status;
  const now = row.deleting ? 'being deleted' : statusText(row.status);
  throw new AppError(
    'INVALID_TRANSITION',
    `Expected, to ${action}, a sweep that is ${joinWithOr(allowed.map(statusText))}, but ${id} is ${now}`,
    { status: row.status, ...(!row.deleting && hintFor(id, action, row.status)) },
  );
};

/**
 * Locks the running stages of a sweep, then the sweep. An attempt that ends also locks in this order: its stage, the stages that depend on
 * it, its sweeps. If another operation has the structure, it locks only the sweep. Resolves to the running stages, or to null if the caller
 * may change no stage. Errors: NOT_FOUND, INVALID_TRANSITION.
 */
export const tryLockSweep = async (
  tx: Tx,
  id: string,
  action: string,
  allowed: readonly StoredSweepStatus[],
): Promise<readonly string[] | null> => {
  const running = (await tryLockStructure(tx)) ? await lockRunning(tx, id) : null;
  await lockRow(tx, id, action, allowed);
  return running;
};

/**
 * Locks the unfinished stages among these. When a change of a stage writes rows of its trials and sweeps, the transaction locks the stage
 * first and then reads them. So after this lock no such write is in progress, and a later one no longer finds rows that this transaction
 * deletes.
 */
export const lockUnfinished = (tx: Tx, stageIds: readonly string[]): Promise<void> =>
  tx.run(
    `SELECT FROM stages s WHERE s.id = ANY($1) AND s.status IN ('waiting', 'ready', 'running')
     ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE OF s`,
    [stageIds],
  );
