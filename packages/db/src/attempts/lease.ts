/** Fencing: a write is taken only from the attempt that has the stage. */
import { AppError, type StageKind, type StageSpec } from '@funnel/contracts';
import { orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { specOf, stageColumns } from '../lifecycle/stage-row.ts';
import type { Lease } from '../types.ts';

export type Outcome =
  | 'completed'
  | 'diverged'
  | 'collapsed'
  | 'failed'
  | 'expired'
  | 'handed-back'
  | 'cancelled';

/** A stage that is running under the caller's lease, its row locked. */
export type LeasedStage = {
  readonly spec: StageSpec;
  readonly kind: StageKind;
  readonly plannedBy: string | null;
  readonly failures: number;
};

/**
 * A lease that ran out but was not taken over is still good: slow is not dead. The row lock makes the check and what follows one act.
 */
const lockLease = async (
  tx: Tx,
  { stageId, fencingToken, workerId }: Lease,
  anySchema: boolean,
): Promise<LeasedStage | null> => {
  const [row] = await tx.query(
    { ...stageColumns, applied: orNull(text()) },
    `SELECT s.*, ${appliedMigration} AS applied FROM stages s
     WHERE id = $1 AND fencing_token = $2 AND worker_id = coalesce($3, worker_id) AND status = 'running' FOR NO KEY UPDATE`,
    [stageId, fencingToken, workerId ?? null],
  );
  if (!row) return null;
  if (!anySchema) checkMigration(row.applied);
  return { spec: specOf(row), kind: row.kind, plannedBy: row.planned_by, failures: row.failures };
};

/** How this very attempt ended, if it did. */
const outcomeOf = async (
  tx: Tx,
  { stageId, fencingToken, workerId }: Lease,
): Promise<Outcome | 'running' | undefined> => {
  const [row] = await tx.query(
    { outcome: text<Outcome | 'running'>() },
    'SELECT outcome FROM attempts WHERE stage_id = $1 AND fencing_token = $2 AND worker_id = coalesce($3, worker_id)',
    [stageId, fencingToken, workerId ?? null],
  );
  return row?.outcome;
};

/** Counted in a transaction that commits: refused writes are told of. */
const countRefusal = (tx: Tx, { stageId, fencingToken }: Lease) =>
  tx.run('UPDATE attempts SET fenced = fenced + 1 WHERE stage_id = $1 AND fencing_token = $2', [
    stageId,
    fencingToken,
  ]);

type Fenced<T> = {
  readonly lease: Lease;
  /** Runs with the stage locked. */
  readonly write: (tx: Tx, stage: LeasedStage) => Promise<T>;
  /** The answer when the attempt has ended with this outcome already: the answer to the first call was lost. */
  readonly ifEnded?: { readonly outcome: Outcome; readonly answer: T };
  /** Also in a database that another version has migrated meanwhile. (Default: false) */
  readonly anySchema?: boolean;
};

/**
 * Errors: STALE_LEASE when another attempt has the stage, or it has ended in another way; SCHEMA_MISMATCH when the database has been
 * migrated since the attempt began.
 */
export const withLease = async <T>(
  db: Db,
  { lease, write, ifEnded, anySchema = false }: Fenced<T>,
): Promise<T> => {
  const result = await transaction(db, async (tx): Promise<{ value: T } | null> => {
    const stage = await lockLease(tx, lease, anySchema);
    if (stage) return { value: await write(tx, stage) };
    if (ifEnded && (await outcomeOf(tx, lease)) === ifEnded.outcome) return { value: ifEnded.answer };
    await countRefusal(tx, lease);
    return null;
  });
  if (result) return result.value;
  const { stageId, fencingToken } = lease;
  throw new AppError(
    'STALE_LEASE',
    `Expected the lease of stage ${stageId} to be attempt ${fencingToken}, but another attempt has it or it has ended`,
    { stageId, fencingToken },
  );
};

export type AttemptError = { readonly code: string; readonly message: string; readonly stack?: string };

/** Ends the attempt in the table of attempts; its stage is moved besides. */
export const recordOutcome = (
  tx: Tx,
  { stageId, fencingToken }: Lease,
  outcome: Outcome,
  error?: AttemptError,
) =>
  tx.run(
    `UPDATE attempts SET outcome = $3, ended_at = now(), error_code = $4, error_message = $5, error_stack = $6
     WHERE stage_id = $1 AND fencing_token = $2`,
    [stageId, fencingToken, outcome, error?.code ?? null, error?.message ?? null, error?.stack ?? null],
  );
