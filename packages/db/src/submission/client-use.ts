/** What a client (a token, or an address) uses of the service, and the refusals of a client that has used its share. */
import {
  AppError,
  type ClientLimits,
  formatAmount,
  formatBytes,
  type Plan,
  plural,
  variableOf,
} from '@funnel/contracts';
import { float8, int8, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

/**
 * SQL: what sweep `s` may still store, by the estimate of its plan and the epochs that are left. 0 for plans of older versions, which have no
 * estimate.
 */
const bytesLeft = (s: string): string => `(
  SELECT coalesce((${s}.plan #>> '{estimate,storedBytes}')::float8 * greatest(0, e.needed - e.trained) / greatest(1, e.needed + e.cached), 0)
  FROM (SELECT (${s}.plan #>> '{epochs,needed}')::float8 AS needed, (${s}.plan #>> '{epochs,cached}')::float8 AS cached,
    (SELECT coalesce(sum(c.count), 0) FROM sweep_counts c WHERE c.sweep_id = ${s}.id AND c.subject = 'trained')::float8 AS trained) AS e)`;

const columns = { submissions: int8(), sweeps: int8(), stored: float8(), expected: float8() };

export type ClientUse = {
  /** Submissions that wait or run. */
  readonly submissions: number;
  /** Sweeps that are running or paused. */
  readonly sweeps: number;
  /** Bytes of stored checkpoints. */
  readonly stored: number;
  /** Bytes that the sweeps may still store, by the estimates of their plans and the epochs that are left. */
  readonly expected: number;
};

/** Reads counts, and the plans of sweeps that have not ended: the limits bound their number. */
const readUse = async (tx: Tx, client: string): Promise<ClientUse> => {
  const [row] = await tx.query(
    columns,
    `SELECT (SELECT count(*) FROM submissions WHERE client = $1 AND status IN ('waiting', 'running')) AS submissions,
       count(*) AS sweeps,
       (SELECT coalesce(sum(bytes), 0)::float8 FROM stored_bytes WHERE client = $1) AS stored,
       coalesce(sum(${bytesLeft('s')}), 0)::float8 AS expected
     FROM sweeps s WHERE s.client = $1 AND s.status IN ('running', 'paused')`,
    [client],
  );
  return row!;
};

export const readClientUse = (db: Db, client: string): Promise<ClientUse> => readUse(reading(db), client);

/** Bytes that a new sweep may store: the share of its estimate that the database does not have yet. */
const newBytesOf = ({ estimate, epochs: { needed, cached } }: Plan): number =>
  ((estimate?.storedBytes ?? 0) * needed) / Math.max(1, needed + cached);

const refuseSweeps = (sweeps: number, { ownSweeps }: ClientLimits): void => {
  if (sweeps < ownSweeps) return;
  throw new AppError(
    'TOO_MANY_OWN_SWEEPS',
    `Expected at most ${plural(ownSweeps, 'unfinished sweep')} of one token or address (${variableOf('ownSweeps')}), but this one has ${formatAmount(sweeps)} already`,
  );
};

/** Before a submission is stored. Errors: TOO_MANY_OWN_SUBMISSIONS, TOO_MANY_OWN_SWEEPS. */
export const refuseSubmissions = async (tx: Tx, client: string, limits: ClientLimits): Promise<void> => {
  const { submissions, sweeps } = await readUse(tx, client);
  if (submissions >= limits.ownSubmissions)
    throw new AppError(
      'TOO_MANY_OWN_SUBMISSIONS',
      `Expected at most ${plural(limits.ownSubmissions, 'unfinished submission')} of one token or address (${variableOf('ownSubmissions')}), but this one has ${formatAmount(submissions)} already. See /v1/submissions.`,
    );
  refuseSweeps(sweeps + submissions, limits); // each submission becomes a sweep
};

type Share = { readonly client: string; readonly limits: ClientLimits };

/** Refuses one more sweep that runs, and may store `added` bytes. */
const refuseMore = async (tx: Tx, added: number, { client, limits }: Share): Promise<void> => {
  const { sweeps, stored, expected } = await readUse(tx, client);
  refuseSweeps(sweeps, limits);
  if (stored + expected + added <= limits.ownBytes) return;
  throw new AppError(
    'TOO_MANY_OWN_BYTES',
    `Expected at most ${formatBytes(limits.ownBytes)} of checkpoints for the sweeps of one token or address (${variableOf('ownBytes')}), but those of this one store ${formatBytes(stored)}, may store ${formatBytes(expected)} more until they end, and this sweep may add ${formatBytes(added)}`,
  );
};

/** Before a sweep is written. Errors: TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES. */
export const refuseSweep = (tx: Tx, plan: Plan, share: Share): Promise<void> =>
  refuseMore(tx, newBytesOf(plan), share);

/**
 * Before a sweep is retried, unless it is running or paused, and thus counted already. It uses up the share of the client that submitted it.
 * Retries of one client wait for each other, so that two cannot both become the last allowed one. Errors: as `refuseSweep`.
 */
export const refuseRetry = async (tx: Tx, sweepId: string, limits: ClientLimits): Promise<void> => {
  const [row] = await tx.query(
    { client: orNull(text()), added: float8() },
    `SELECT s.client, ${bytesLeft('s')} AS added FROM sweeps s
     WHERE s.id = $1 AND s.status NOT IN ('running', 'paused')`,
    [sweepId],
  );
  if (!row || row.client === null) return; // an older version wrote it
  await tx.run(`SELECT pg_advisory_xact_lock(hashtext('funnel share ' || $1))`, [row.client]);
  await refuseMore(tx, row.added, { client: row.client, limits });
};
