/** The ways of a stage back from an attempt: to the next attempt, or to its end. */
import type { StageKind } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import type { Tx } from '../connection/transaction.ts';
import { causeOf } from '../lifecycle/cause.ts';
import { changesTo, endStages, skipDependants } from '../lifecycle/move-stages.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import type { StageChange } from '../lifecycle/stage-change.ts';
import type { Failure, Lease, Ready } from '../types.ts';
import { type AttemptError, endAttempt, type LeasedStage, withLease } from './lease.ts';

/** 1, 2, 4, … s after the first, second, third failure, at most a minute: what is broken for a moment gets the time to mend. */
const backoffSeconds = (failures: number): number => Math.min(60, 2 ** (failures - 1));

/** Ready for another attempt, at once or after a while. A held stage (its sweeps paused) waits for its sweep. */
export const returnStage = async (
  tx: Tx,
  stageId: string,
  afterSeconds: number,
): Promise<readonly StageChange[]> => {
  const rows = await tx.query<{ id: string; kind: StageKind; was: 'running' }>(
    `UPDATE stages SET status = 'ready', lease_until = NULL, images_per_second = NULL, ready_at = now() + make_interval(secs => $2)
     WHERE id = $1 AND status = 'running' RETURNING id, kind, 'running' AS was`,
    [stageId, afterSeconds],
  );
  return changesTo('ready', rows);
};

/** No attempt is left: the stage fails, and what needs it is skipped for that reason. */
export const failStage = async (
  tx: Tx,
  { id, kind }: { readonly id: string; readonly kind: StageKind },
  error: AttemptError,
): Promise<readonly StageChange[]> => {
  const ended = await endStages(tx, [id], 'failed', { error });
  const { code, message } = error;
  const cause = causeOf({ id, kind, status: 'failed', cause: 'failed', code, message });
  const skipped = await skipDependants(tx, [id], cause);
  return [...ended, ...skipped];
};

type Failed = Ready & { readonly failed: boolean };

const fail = async (tx: Tx, stage: LeasedStage, failure: Failure): Promise<Failed> => {
  const failures = stage.failures + 1;
  await endAttempt(tx, failure, 'failed', failure);
  await tx.query('UPDATE stages SET failures = $2, error_code = $3, error_message = $4 WHERE id = $1', [
    failure.stageId,
    failures,
    failure.code,
    failure.message,
  ]);
  const failed = failures >= failure.maxAttempts;
  const changes = failed
    ? await failStage(tx, { id: failure.stageId, kind: stage.kind }, failure)
    : await returnStage(tx, failure.stageId, backoffSeconds(failures));
  await settleChanges(tx, { changes });
  return { failed, readyStages: [] }; // the reconciler rings when the backoff is over
};

/**
 * An attempt failed. The stage is tried again after a backoff until `maxAttempts` attempts have failed without a new epoch between
 * them; then it fails with this error. Errors: STALE_LEASE.
 */
export const failAttempt = (db: Db, failure: Failure): Promise<Failed> =>
  withLease(db, {
    lease: failure,
    work: (tx, stage) => fail(tx, stage, failure),
    again: { outcome: 'failed', answer: { failed: false, readyStages: [] } },
  });

/**
 * Gives a stage back unfinished, by no fault of its own (drain, pause, an upgrade of the database): costs no attempt. Works in a database
 * of any schema that has what it writes; where it does not, the lease runs out. Errors: STALE_LEASE.
 */
export const releaseStage = (db: Db, lease: Lease): Promise<Ready> =>
  withLease(db, {
    lease,
    work: async (tx) => {
      await endAttempt(tx, lease, 'handed-back');
      await settleChanges(tx, { changes: await returnStage(tx, lease.stageId, 0) });
      return { readyStages: [lease.stageId] };
    },
    again: { outcome: 'handed-back', answer: { readyStages: [lease.stageId] } },
    anySchema: true,
  });
