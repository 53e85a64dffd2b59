/** Counts over all sweeps, for monitoring and scaling. */
import { float8, int4, int4s, int8, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { reading } from '../connection/transaction.ts';

/** Upper bounds, in seconds, of the histogram of durations of attempts: from an attack on few images to training for a whole night. */
export const attemptBounds = [1, 2.5, 5, 10, 30, 60, 150, 300, 900, 1800, 3600, 10_800, 36_000] as const;

export type ServiceCounts = {
  readonly stages: readonly { readonly kind: string; readonly status: string; readonly count: number }[];
  /** Images per second of all running stages together, by their last heartbeats. */
  readonly throughput: readonly { readonly kind: string; readonly imagesPerSecond: number }[];
  /** Ready stages that a worker could claim now. */
  readonly claimable: number;
  /** Attempts that have ended. */
  readonly attempts: readonly {
    readonly kind: string;
    readonly outcome: string;
    readonly attempts: number;
    readonly seconds: number;
    /** For each of `attemptBounds`, the number of attempts that took no longer. So an attempt counts in several classes. */
    readonly within: readonly number[];
  }[];
  readonly expiredLeases: number;
  /** Writes that were refused because another attempt had the lease. */
  readonly fencedWrites: number;
  /** Batches that fail (`failing-batches.ts`), by table. */
  readonly failingBatches: readonly { readonly table: string; readonly count: number }[];
  readonly workers: readonly { readonly status: string; readonly count: number; readonly slots: number }[];
};

export const readServiceCounts = async (db: Db): Promise<ServiceCounts> => {
  const tx = reading(db);
  const [stages, throughput, attempts, workers, failingBatches, [claimable], [fenced]] = await Promise.all([
    tx.query(
      { kind: text(), status: text(), count: int8() },
      'SELECT kind, status, count(*) AS count FROM stages GROUP BY 1, 2 ORDER BY 1, 2',
    ),
    tx.query(
      { kind: text(), imagesPerSecond: float8() },
      `SELECT kind, coalesce(sum(images_per_second), 0)::float8 AS "imagesPerSecond"
       FROM stages WHERE status = 'running' GROUP BY 1 ORDER BY 1`,
    ),
    tx.query(
      { kind: text(), outcome: text(), attempts: int8(), seconds: float8(), within: int4s() },
      `SELECT s.kind, a.outcome, count(*) AS attempts, sum(took)::float8 AS seconds,
         ARRAY[${attemptBounds.map((bound) => `count(*) FILTER (WHERE took <= ${bound})`).join(', ')}]::int[] AS within
       FROM attempts a JOIN stages s ON s.id = a.stage_id, LATERAL (SELECT extract(epoch FROM a.ended_at - a.started_at) AS took) t
       WHERE a.ended_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
    ),
    tx.query(
      { status: text(), count: int8(), slots: int8() },
      'SELECT status, count(*) AS count, sum(slots) AS slots FROM workers GROUP BY 1 ORDER BY 1',
    ),
    tx.query(
      { table: text(), count: int8() },
      `SELECT 'propagations' AS "table", count(*) AS count FROM propagations WHERE failures > 0
       UNION ALL SELECT 'sweep_actions', count(*) FROM sweep_actions WHERE failures > 0`,
    ),
    tx.query(
      { n: int8() },
      "SELECT count(*) AS n FROM stages WHERE status = 'ready' AND sweep_id IS NOT NULL AND ready_at <= now()",
    ),
    tx.query({ n: int8() }, 'SELECT coalesce(sum(fenced), 0) AS n FROM attempts'),
  ]);
  const expiredLeases = attempts
    .filter((row) => row.outcome === 'expired')
    .reduce((sum, row) => sum + row.attempts, 0);
  return {
    ...{ stages, throughput, attempts, workers, failingBatches, expiredLeases },
    claimable: claimable!.n,
    fencedWrites: fenced!.n,
  };
};

/** Errors: UNAVAILABLE. */
export const pingDatabase = async (db: Db): Promise<void> => {
  await reading(db).query({ one: int4() }, 'SELECT 1 AS one');
};

/** Resolves when the database has the schema of this version. Errors: UNAVAILABLE, SCHEMA_MISMATCH. */
export const pingSchema = async (db: Db): Promise<void> => {
  const [row] = await reading(db).query({ applied: orNull(text()) }, `SELECT ${appliedMigration} AS applied`);
  checkMigration(row!.applied);
};
