/** Fencing: only the attempt that has the stage may write. */
import { AppError, type StageKind, type StageSpec } from '@funnel/contracts';
import { orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { specOf, stageColumns } from '../lifecycle/stage-row.ts';
import type { Lease, Report } from '../types.ts';

export type Outcome =
  | 'completed'
  | 'diverged'
  | 'collapsed'
  | 'failed'
  | 'expired'
  | 'handed-back'
  | 'cancelled';

/** A stage that is running under the caller's lease; its row is locked. */
export type LeasedStage = {
  readonly spec: StageSpec;
  readonly kind: StageKind;
  readonly plannedBy: string | null;
  readonly failures: number;
  readonly workerId: string;
  readonly needId: number;
};

/**
 * Locks the stage if the lease is still valid. A lease that ran out is valid until the reconciler or another attempt takes the stage,
 * because the worker may only be slow. Until this transaction ends, nobody can take the stage.
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
  return {
    spec: specOf(row),
    kind: row.kind,
    plannedBy: row.planned_by,
    failures: row.failures,
    workerId: row.worker_id!, // a running stage has a worker
    needId: row.need_id,
  };
};

/** How the attempt of this lease ended, or `running`; undefined when there is no such attempt. */
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

/** Counts a refused write. The transaction commits, so that the count stays. */
const countRefusal = (tx: Tx, { stageId, fencingToken }: Lease) =>
  tx.run('UPDATE attempts SET fenced = fenced + 1 WHERE stage_id = $1 AND fencing_token = $2', [
    stageId,
    fencingToken,
  ]);

type Fenced<T> = {
  readonly lease: Lease;
  /** Runs with the stage locked. */
  readonly write: (tx: Tx, stage: LeasedStage) => Promise<T>;
  /** The result when the attempt has already ended with this outcome: the caller did not get the result of its first call. */
  readonly ifEnded?: { readonly outcome: Outcome; readonly answer: T };
  /** Write even if another version has migrated the database meanwhile. (Default: false) */
  readonly anySchema?: boolean;
};

/**
 * Runs the write of an attempt in a transaction. Errors: STALE_LEASE when another attempt has the stage, or the stage has ended in another
 * way; SCHEMA_MISMATCH when the database was migrated after the attempt began.
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
    `Expected attempt ${fencingToken} to have the lease of stage ${stageId}, but another attempt has it or the stage has ended`,
    { stageId, fencingToken },
  );
};

export type AttemptError = { readonly code: string; readonly message: string; readonly stack?: string };

/** SQL: sets the columns of an attempt's usage to the values of `usageParameters`, from `$first` on. Values of earlier reports stay if there are none. */
export const setUsage = (first: number): string =>
  ['trainer_seconds', 'cpu_seconds', 'peak_bytes']
    .map((column, i) => `${column} = coalesce($${first + i}, ${column})`)
    .join(', ');

export const usageParameters = ({ usage }: Report): readonly (number | null)[] => [
  usage?.seconds ?? null,
  usage?.cpuSeconds ?? null,
  usage?.peakBytes ?? null,
];

/** Writes the end of an attempt into the table of attempts. The caller moves the stage. */
export const recordOutcome = (tx: Tx, report: Report, outcome: Outcome, error?: AttemptError) =>
  tx.run(
    `UPDATE attempts SET outcome = $3, ended_at = now(), error_code = $4, error_message = $5, error_stack = $6, ${setUsage(7)}
     WHERE stage_id = $1 AND fencing_token = $2`,
    [
      ...[report.stageId, report.fencingToken, outcome],
      ...[error?.code ?? null, error?.message ?? null, error?.stack ?? null],
      ...usageParameters(report),
    ],
  );
