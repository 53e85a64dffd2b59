import type { Db } from '../connection/db.ts';
import type { Tx } from '../connection/transaction.ts';
import { causeOf } from '../lifecycle/cause.ts';
import { endStages, idsOf, skipDependants } from '../lifecycle/move-stages.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import type { Ready, StageEnd } from '../types.ts';
import { endAttempt, type LeasedStage, withLease } from './lease.ts';

const end = async (
  tx: Tx,
  { spec }: LeasedStage,
  { stageId, fencingToken, status, message }: StageEnd,
): Promise<Ready> => {
  const error = { code: status.toUpperCase(), message };
  const ended = await endStages(tx, [stageId], status, { error });
  await endAttempt(tx, { stageId, fencingToken }, status, error);
  const cause = causeOf({ id: stageId, kind: spec.kind, status, cause: status, ...error });
  const skipped = await skipDependants(tx, [stageId], cause);
  await settleChanges(tx, { changes: [...ended, ...skipped] });
  return { readyStages: idsOf(skipped, 'ready') };
};

/** Ends a stage without a usable result: what needs it is skipped for that reason, and transfer attacks go on without it. Errors: STALE_LEASE. */
export const endStage = (db: Db, write: StageEnd): Promise<Ready> =>
  withLease(db, {
    lease: write,
    work: (tx, stage) => end(tx, stage, write),
    again: { outcome: write.status, answer: { readyStages: [] } },
  });
