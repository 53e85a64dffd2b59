/** The ends of an attempt: its stage gets a result, ends without one, or goes to another attempt. */
import { AppError, type FunnelEvent } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import type { Tx } from '../connection/transaction.ts';
import { releaseDependants, skipDependants } from '../lifecycle/dependants.ts';
import { propagate, stageSweeps } from '../lifecycle/propagate.ts';
import { idsOf, move, type StageChange } from '../lifecycle/transitions.ts';
import type { Completion, EvaluationWrite, Failure, Report, StageEnd } from '../types.ts';
import { type AttemptError, type LeasedStage, recordOutcome, withLease } from './lease.ts';
import { noteFailure, noteResult } from './set-aside.ts';

/** The result of a training stage is its final checkpoint. */
const finalCheckpoint = async (tx: Tx, { spec }: LeasedStage): Promise<string> => {
  const [row] = await tx.query(
    { hash: text() },
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

/** Writes an evaluation once: the identity of the stage covers everything that the evaluation depends on. */
const insertEvaluation = async (tx: Tx, stageId: string, evaluation: EvaluationWrite): Promise<void> => {
  const { attack, settings, summary, verdict, diagnostics, records, gallery } = evaluation;
  const { index, label, correct, predicted, success, l2, linf, l0, steps, queries } = records;
  const json = [settings, summary, diagnostics].map((value) => JSON.stringify(value));
  await tx.run(
    `INSERT INTO evaluations (stage_id, attack, settings, summary, diagnostics, verdict,
       index, label, correct, predicted, success, l2, linf, l0, steps, queries,
       gallery_shape, gallery_index, gallery_original, gallery_attacked)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
     ON CONFLICT DO NOTHING`,
    [
      ...[stageId, attack, ...json, verdict],
      ...[index, label, correct, predicted, success, l2, linf, l0, steps, queries],
      ...[gallery.shape, gallery.index, Buffer.from(gallery.original), Buffer.from(gallery.attacked)],
    ],
  );
};

const storeEvaluation = async (
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

const complete = async (tx: Tx, stage: LeasedStage, completion: Completion): Promise<void> => {
  const isAttack = stage.kind === 'attack';
  const checkpoint = isAttack ? null : await finalCheckpoint(tx, stage);
  const events = isAttack ? await storeEvaluation(tx, stage, completion.evaluation) : [];
  const completed = await move(tx, 'complete', 'SELECT $1::text AS id, $2::text AS checkpoint', [
    stage.spec.id,
    checkpoint,
  ]);
  await recordOutcome(tx, completion, 'completed');
  await noteResult(tx, stage.workerId);
  const released = isAttack ? [] : await releaseDependants(tx, [stage.spec.id]); // nothing depends on an attack
  await propagate(tx, { changes: [...completed, ...released], events });
};

/**
 * Writes in one transaction: the result, the stages that are ready now, the status of trials and sweeps, the scores and the events. A
 * second call of the same attempt changes nothing. Errors: STALE_LEASE, INVALID_TRANSITION (no final checkpoint), INVALID_REQUEST.
 */
export const completeStage = (db: Db, completion: Completion): Promise<void> =>
  withLease(db, {
    lease: completion,
    write: (tx, stage) => complete(tx, stage, completion),
    ifEnded: { outcome: 'completed', answer: undefined },
  });

const transitionOf = { diverged: 'diverge', collapsed: 'collapse', failed: 'fail' } as const;

/** A stage that ends without a usable result, and why. */
export type BadEnd = AttemptError & { readonly id: string };

/** Ends stages without a usable result, and skips the stages that depend on them. */
const endBadly = async (
  tx: Tx,
  status: keyof typeof transitionOf,
  ends: readonly BadEnd[],
): Promise<readonly StageChange[]> => {
  if (ends.length === 0) return [];
  const ended = await move(
    tx,
    transitionOf[status],
    'SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS k (id, error_code, error_message)',
    [ends.map(({ id }) => id), ends.map(({ code }) => code), ends.map(({ message }) => message)],
  );
  return [...ended, ...(await skipDependants(tx, idsOf(ended)))];
};

/**
 * Ends a stage whose training diverged or collapsed. This is a result, because the same inputs would end in the same way. It skips the
 * stages that depend on this one; transfer attacks go on without its classifier. Errors: STALE_LEASE.
 */
export const endStage = (db: Db, { stageId, status, message, ...lease }: StageEnd): Promise<void> =>
  withLease(db, {
    lease: { stageId, ...lease },
    write: async (tx, { workerId }) => {
      const error = { code: status.toUpperCase(), message };
      const changes = await endBadly(tx, status, [{ id: stageId, ...error }]);
      await recordOutcome(tx, { stageId, ...lease }, status, error);
      await noteResult(tx, workerId);
      await propagate(tx, { changes });
    },
    ifEnded: { outcome: status, answer: undefined },
  });

/** Seconds before the next attempt: 1, 2, 4, … after the first, second, third failure, at most 60. The fault may be over by then. */
const backoffSeconds = (failures: number): number => Math.min(60, 2 ** (failures - 1));

/**
 * Makes a running stage ready for another attempt, after `delaySeconds`. A held stage (its sweeps are paused) becomes claimable when a
 * sweep resumes.
 */
export const returnStage = (tx: Tx, stageId: string, delaySeconds: number): Promise<readonly StageChange[]> =>
  move(tx, 'return', 'SELECT $1::text AS id, $2::float8 AS delay_seconds', [stageId, delaySeconds]);

/** Fails stages for which there is no further attempt. */
export const failStages = (tx: Tx, ends: readonly BadEnd[]): Promise<readonly StageChange[]> =>
  endBadly(tx, 'failed', ends);

const fail = async (tx: Tx, stage: LeasedStage, failure: Failure): Promise<void> => {
  const { stageId, code, message, maxAttempts } = failure;
  const failures = stage.failures + 1;
  await recordOutcome(tx, failure, 'failed', failure);
  await noteFailure(tx, stage.workerId);
  await tx.run('UPDATE stages SET failures = $2, error_code = $3, error_message = $4 WHERE id = $1', [
    stageId,
    failures,
    code,
    message,
  ]);
  const changes =
    failures >= maxAttempts
      ? await failStages(tx, [{ id: stageId, code, message }])
      : await returnStage(tx, stageId, backoffSeconds(failures));
  await propagate(tx, { changes });
};

/**
 * Records that an attempt failed. The stage gets another attempt after a backoff, until `maxAttempts` attempts have failed without a new epoch
 * between them; then it fails with this error. Errors: STALE_LEASE.
 */
export const failAttempt = (db: Db, failure: Failure): Promise<void> =>
  withLease(db, {
    lease: failure,
    write: (tx, stage) => fail(tx, stage, failure),
    ifEnded: { outcome: 'failed', answer: undefined },
  });

/**
 * Releases an unfinished stage for a reason outside the stage (drain, pause, an upgrade of the database). This costs no attempt. Works
 * under any schema that has the columns that it writes; under other schemas the lease runs out. Errors: STALE_LEASE.
 */
export const releaseStage = (db: Db, lease: Report): Promise<void> =>
  withLease(db, {
    lease,
    write: async (tx) => {
      await recordOutcome(tx, lease, 'handed-back');
      await propagate(tx, { changes: await returnStage(tx, lease.stageId, 0) });
    },
    ifEnded: { outcome: 'handed-back', answer: undefined },
    anySchema: true,
  });
