import { AppError, type StageKind, type StageStatus } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { isFree } from '../lifecycle/readiness.ts';
import { readyStages, schedule, scheduleStages } from '../lifecycle/schedule.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import type { StageChange } from '../lifecycle/stage-change.ts';
import { deriveSweepTrials } from '../lifecycle/trial-status.ts';
import type { Ready } from '../types.ts';
import { lockSweep } from './lock-sweep.ts';

/** Failed stages of the sweep, and what was skipped for them in any live sweep, wait again; what waits for nothing unfinished is ready. */
const revive = async (tx: Tx, sweepId: string): Promise<readonly StageChange[]> => {
  const rows = await tx.query<{ id: string; kind: StageKind; was: StageStatus; status: StageStatus }>(
    `WITH RECURSIVE again AS (
       SELECT s.id FROM stages s JOIN sweep_stages l ON l.stage_id = s.id WHERE l.sweep_id = $1 AND s.status = 'failed'
       UNION
       SELECT s.id FROM again CROSS JOIN LATERAL (
         SELECT id FROM stages WHERE depends_on = again.id AND status = 'skipped' AND skip_cause = 'failed'
         UNION ALL
         SELECT id FROM stages WHERE status = 'skipped' AND skip_cause = 'failed' AND surrogates <> '{}' AND surrogates && ARRAY[again.id]
       ) AS s
       WHERE EXISTS (SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
           WHERE l.stage_id = s.id AND (w.id = $1 OR w.status IN ('running', 'paused')))
     ), old AS (
       SELECT s.id, s.status, ${isFree('s')} AS free
       FROM stages s WHERE s.id IN (SELECT id FROM again) ORDER BY s.id FOR NO KEY UPDATE OF s
     )
     UPDATE stages s SET status = CASE WHEN old.free THEN 'ready' ELSE 'waiting' END, skip_cause = NULL, failures = 0, expiries = 0,
       error_code = NULL, error_message = NULL, finished_at = NULL, ready_at = now()
     FROM old WHERE s.id = old.id
     RETURNING s.id, s.kind, old.status AS was, s.status`,
    [sweepId],
  );
  return rows.map(({ id, kind, was, status }) => ({ id, kind, from: was, to: status }));
};

/** Gives failed stages new attempts, and their trials another chance. Errors: NOT_FOUND, INVALID_TRANSITION (cancelled, or nothing failed). */
export const retrySweep = (db: Db, id: string): Promise<Ready> =>
  transaction(db, async (tx) => {
    const before = await lockSweep(tx, id, 'retry', ['running', 'paused', 'completed']);
    const changes = await revive(tx, id);
    if (changes.length === 0)
      throw new AppError('INVALID_TRANSITION', `Expected failed stages to retry, but sweep ${id} has none`);
    const status = before === 'completed' ? 'running' : before;
    await tx.query('UPDATE sweeps SET status = $2, finished_at = NULL WHERE id = $1', [id, status]);
    await schedule(tx, id);
    await scheduleStages(
      tx,
      changes.map((change) => change.id),
    );
    const trials = await deriveSweepTrials(tx, id);
    const counts = trials.flatMap(({ from, to, trials: { length } }) => [
      { sweepId: id, subject: `trial:${from}`, delta: -length },
      { sweepId: id, subject: `trial:${to}`, delta: length },
    ]);
    await settleChanges(tx, { changes, counts, events: [{ type: 'sweep', sweepId: id, status }] });
    return { readyStages: await readyStages(tx, id) };
  });
