import type { Tx } from '../connection/transaction.ts';
import { passOn } from './schedule.ts';
import type { TrialChange } from './trial-status.ts';
import { isEnded } from './trial-status.ts';

/**
 * Completes the sweeps whose last trial has just ended. The sweep's row is locked before looking, so that of two transactions that end
 * the last two trials, the later one sees both. Resolves to their ids.
 */
export const finishSweeps = async (tx: Tx, changes: readonly TrialChange[]): Promise<readonly string[]> => {
  const ids = [...new Set(changes.filter((change) => isEnded(change.to)).map((change) => change.sweepId))];
  if (ids.length === 0) return [];
  await tx.query(
    `SELECT FROM sweeps WHERE id = ANY($1) AND status IN ('running', 'paused') ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
  const rows = await tx.query<{ id: string }>(
    `UPDATE sweeps SET status = 'completed', finished_at = now()
     WHERE id = ANY($1) AND status IN ('running', 'paused')
       AND NOT EXISTS (SELECT FROM trials WHERE sweep_id = sweeps.id AND status IN ('waiting', 'running'))
     RETURNING id`,
    [ids],
  );
  const finished = rows.map((row) => row.id);
  if (finished.length > 0) await passOn(tx, finished);
  return finished;
};
