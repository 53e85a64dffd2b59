/** The batches of a retry: the failed stages of a sweep get new attempts, then its failed trials are open again. */
import { int4 } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import type { Changes } from '../lifecycle/propagate.ts';
import { maxAtOnce } from '../lifecycle/propagations.ts';
import { reopenFailed, reopenSkipped } from '../lifecycle/reopen.ts';
import { scheduleStagesOf } from '../lifecycle/scheduling.ts';
import { idsOf } from '../lifecycle/transitions.ts';

/** The user may have mended what stages ran out of, such as memory that other programs used. So workers try stages like these again. */
const forgetRefusals = (tx: Tx, stageIds: readonly string[]): Promise<void> =>
  tx.run('DELETE FROM refusals WHERE need_id IN (SELECT need_id FROM stages WHERE id = ANY($1))', [stageIds]);

/**
 * Reopens those of the stages of the sweep that failed or were skipped for it, and the stages of other live sweeps that were skipped because
 * of them.
 */
export const retryStages = async (tx: Tx, sweepId: string, stageIds: readonly string[]): Promise<Changes> => {
  const reopened = await reopenFailed(tx, stageIds);
  const failed = reopened.filter(({ from }) => from === 'failed');
  const elsewhere = await reopenSkipped(tx, idsOf(failed), maxAtOnce);
  await scheduleStagesOf(tx, sweepId, stageIds);
  await forgetRefusals(tx, idsOf(reopened));
  return { changes: [...reopened, ...elsewhere] };
};

/** The number of trials of a sweep. Their numbers are 0, 1, … */
export const countTrials = async (tx: Tx, sweepId: string): Promise<number> => {
  const [row] = await tx.query(
    { trials: int4() },
    'SELECT coalesce(max(number) + 1, 0) AS trials FROM trials WHERE sweep_id = $1',
    [sweepId],
  );
  return row!.trials;
};
