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
import { bool, float8, int8, orNull, text } from '../connection/columns.ts';
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

/** Refuses a sweep that may store `added` bytes. `isCounted`: it runs or is paused already. */
const refuseMore = async (
  tx: Tx,
  added: number,
  { client, limits }: Share,
  isCounted = false,
): Promise<void> => {
  const { sweeps, stored, expected } = await readUse(tx, client);
  if (!isCounted) refuseSweeps(sweeps, limits);
  if (stored + expected + added <= limits.ownBytes) return;
  throw new AppError(
    'TOO_MANY_OWN_BYTES',
    `Expected at most ${formatBytes(limits.ownBytes)} of checkpoints for the sweeps of one token or address (${variableOf('ownBytes')}), but those of this one store ${formatBytes(stored)}, may store ${formatBytes(expected)} more until they end, and this sweep may add ${formatBytes(added)}`,
  );
};

/** Before a sweep is written. Errors: TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES. */
export const refuseSweep = (tx: Tx, plan: Plan, share: Share): Promise<void> =>
  refuseMore(tx, newBytesOf(plan), share);

/** Retries and extensions of the sweeps of one client wait for each other, so that two cannot both become the last allowed one. */
const lockShare = (tx: Tx, client: string): Promise<void> =>
  tx.run(`SELECT pg_advisory_xact_lock(hashtext('funnel share ' || $1))`, [client]);

/**
 * Before a sweep is retried, unless it is running or paused, and thus counted already. It uses up the share of the client that submitted it.
 * Errors: as `refuseSweep`.
 */
export const refuseRetry = async (tx: Tx, sweepId: string, limits: ClientLimits): Promise<void> => {
  const [row] = await tx.query(
    { client: orNull(text()), added: float8() },
    `SELECT s.client, ${bytesLeft('s')} AS added FROM sweeps s
     WHERE s.id = $1 AND s.status NOT IN ('running', 'paused')`,
    [sweepId],
  );
  if (!row || row.client === null) return; // an older version wrote it
  await lockShare(tx, row.client);
  await refuseMore(tx, row.added, { client: row.client, limits });
};

/**
 * Before the search of a sweep is extended: `plan` is then its plan. It uses up the share of the client that submitted it. Errors: as
 * `refuseSweep`, but a sweep that runs or is paused is counted already.
 */
export const refuseExtension = async (
  tx: Tx,
  sweepId: string,
  plan: Plan,
  limits: ClientLimits,
): Promise<void> => {
  const [row] = await tx.query(
    { client: orNull(text()), counted: bool(), left: float8(), trained: float8() },
    `SELECT s.client, s.status IN ('running', 'paused') AS counted, ${bytesLeft('s')} AS left,
       (SELECT coalesce(sum(c.count), 0) FROM sweep_counts c WHERE c.sweep_id = s.id AND c.subject = 'trained')::float8 AS trained
     FROM sweeps s WHERE s.id = $1`,
    [sweepId],
  );
  if (!row || row.client === null) return; // an older version wrote it
  const { needed, cached } = plan.epochs;
  const left =
    ((plan.estimate?.storedBytes ?? 0) * Math.max(0, needed - row.trained)) / Math.max(1, needed + cached);
  await lockShare(tx, row.client);
  await refuseMore(
    tx,
    Math.max(0, left - (row.counted ? row.left : 0)),
    { client: row.client, limits },
    row.counted,
  );
};
