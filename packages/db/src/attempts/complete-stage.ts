import { AppError, type FunnelEvent } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import type { Tx } from '../connection/transaction.ts';
import { endStages, idsOf, releaseDependants } from '../lifecycle/move-stages.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import { stageSweeps } from '../lifecycle/sweep-stages.ts';
import type { Completion, EvaluationWrite, Ready } from '../types.ts';
import { insertEvaluation } from './insert-evaluation.ts';
import { endAttempt, type LeasedStage, withLease } from './lease.ts';

/** A training stage's result is its final checkpoint. */
const finalCheckpoint = async (tx: Tx, { spec }: LeasedStage): Promise<string> => {
  const [row] = await tx.query<{ hash: string }>(
    `SELECT p.hash FROM chains c JOIN checkpoints p ON p.chain_id = c.id
     WHERE c.hash = $1 AND p.epoch = $2 AND p.step = 0`,
    [spec.chain, spec.epochs],
  );
  if (row) return row.hash;
  throw new AppError(
    'INVALID_TRANSITION',
    `Expected the checkpoint of epoch ${spec.epochs} to be recorded before stage ${spec.id} completes, but it is not`,
  );
};

const evaluated = async (
  tx: Tx,
  { spec }: LeasedStage,
  evaluation: EvaluationWrite | undefined,
): Promise<FunnelEvent[]> => {
  if (!evaluation)
    throw new AppError(
      'INVALID_REQUEST',
      `Expected an evaluation with the completion of attack stage ${spec.id}, but none came`,
    );
  await insertEvaluation(tx, spec.id, evaluation);
  const links = (await stageSweeps(tx, [spec.id])).get(spec.id) ?? [];
  return links.map(({ sweepId }) => ({
    type: 'evaluation',
    sweepId,
    stage: spec.id,
    attack: evaluation.attack,
  }));
};

const complete = async (tx: Tx, stage: LeasedStage, completion: Completion): Promise<Ready> => {
  const isAttack = stage.kind === 'attack';
  const checkpoint = isAttack ? null : await finalCheckpoint(tx, stage);
  const events = isAttack ? await evaluated(tx, stage, completion.evaluation) : [];
  const ended = await endStages(tx, [stage.spec.id], 'completed', { checkpoint });
  await endAttempt(tx, completion, 'completed');
  const released = isAttack ? [] : await releaseDependants(tx, [stage.spec.id]); // nothing waits for an attack
  await settleChanges(tx, { changes: [...ended, ...released], events });
  return { readyStages: idsOf(released, 'ready') };
};

/**
 * The result, the readiness of what waited for it, the status of trials and sweeps, the scores and the events: one transaction. Called
 * again by the same attempt it changes nothing. Errors: STALE_LEASE, INVALID_TRANSITION (no final checkpoint), INVALID_REQUEST.
 */
export const completeStage = (db: Db, completion: Completion): Promise<Ready> =>
  withLease(db, {
    lease: completion,
    work: (tx, stage) => complete(tx, stage, completion),
    again: { outcome: 'completed', answer: { readyStages: [] } },
  });
