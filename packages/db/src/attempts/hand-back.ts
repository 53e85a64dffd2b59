/**
 * A worker that lacks something for a stage hands the stage back. This costs no attempt, and the worker takes no other stage with the same
 * need until its abilities change. Other workers may have what it lacks. If every live worker lacks the memory, the stage fails.
 */
import { bool, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import type { Tx } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';
import type { StageChange } from '../lifecycle/transitions.ts';
import type { HandBack } from '../types.ts';
import { lacksMemory } from './abilities.ts';
import { failStages, returnStage } from './end-attempt.ts';
import { type LeasedStage, recordOutcome, withLease } from './lease.ts';

/** SQL: a stage with need `n` ran out of memory, and no live worker has more. */
const isHopeless = (n: string): string => `(
  EXISTS (SELECT FROM refusals r WHERE r.need_id = ${n}.id AND r.lack = 'memory')
  AND EXISTS (SELECT FROM workers w WHERE w.status = 'online')
  AND NOT EXISTS (SELECT FROM workers w WHERE w.status = 'online' AND NOT ${lacksMemory('w', n)}))`;

const refuse = (tx: Tx, { workerId, needId }: LeasedStage, { lack, message }: HandBack): Promise<void> =>
  tx.run(
    `INSERT INTO refusals (worker_id, need_id, lack, reason, backend, trainer_bytes)
     SELECT id, $2, $3, $4, backend, trainer_bytes FROM workers WHERE id = $1
     ON CONFLICT (worker_id, need_id) DO UPDATE SET lack = excluded.lack, reason = excluded.reason, at = now()`,
    [workerId, needId, lack, message],
  );

const noWorker = 'No live worker has more memory, so the stage is not tried again.';

const write = async (tx: Tx, stage: LeasedStage, back: HandBack): Promise<void> => {
  const { stageId, code, message, lack } = back;
  await recordOutcome(tx, back, 'handed-back', { code, message });
  await refuse(tx, stage, back);
  await tx.run('UPDATE stages SET error_code = $2, error_message = $3 WHERE id = $1', [
    stageId,
    code,
    message,
  ]);
  const [need] = await tx.query(
    { hopeless: bool() },
    `SELECT coalesce(bool_or(${isHopeless('n')}), false) AS hopeless FROM needs n WHERE n.id = $1`,
    [stage.needId],
  );
  const changes =
    lack === 'memory' && need!.hopeless
      ? await failStages(tx, [{ id: stageId, code, message: `${message} ${noWorker}` }])
      : await returnStage(tx, stageId, 0);
  await propagate(tx, { changes });
};

/** Hands an unfinished stage back, because this worker lacks something for it. Errors: STALE_LEASE. */
export const handBackStage = (db: Db, back: HandBack): Promise<void> =>
  withLease(db, {
    lease: back,
    write: (tx, stage) => write(tx, stage, back),
    ifEnded: { outcome: 'handed-back', answer: undefined },
  });

/** The largest number of stages that fail in one round of the reconciler. */
const maxFailed = 200;

/**
 * Fails ready stages that no live worker could run, because stages with the same need ran out of memory everywhere. A stage of which only
 * the estimate is too large waits for a larger worker.
 */
export const failHopeless = async (tx: Tx): Promise<readonly StageChange[]> => {
  const stages = await tx.query(
    { id: text(), reason: text() },
    `SELECT s.id, hopeless.reason
     FROM (SELECT n.id, r.reason FROM needs n CROSS JOIN LATERAL (
         SELECT reason FROM refusals WHERE need_id = n.id AND lack = 'memory' ORDER BY at DESC LIMIT 1
       ) AS r WHERE ${isHopeless('n')}) AS hopeless
     CROSS JOIN sweeps w JOIN stages s ON s.sweep_id = w.id AND s.need_id = hopeless.id AND s.status = 'ready'
     WHERE w.status = 'running' LIMIT ${maxFailed} FOR NO KEY UPDATE OF s SKIP LOCKED`,
  );
  return failStages(
    tx,
    stages.map(({ id, reason }) => ({
      id,
      code: 'TRAINER_OUT_OF_MEMORY',
      message: `${reason} ${noWorker}`,
    })),
  );
};
