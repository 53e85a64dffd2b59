/** What a client (a token, or an address) uses of the service, and the refusals of a client that has used its share. */
import {
  AppError,
  type ClientLimits,
  formatAmount,
  formatBytes,
  type Plan,
  variableOf,
} from '@funnel/contracts';
import { float8, int8 } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';

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
       coalesce(sum((s.plan #>> '{estimate,storedBytes}')::float8 * greatest(0, e.needed - e.trained) / greatest(1, e.needed + e.cached)), 0)::float8 AS expected
     FROM sweeps s CROSS JOIN LATERAL (
       SELECT (s.plan #>> '{epochs,needed}')::float8 AS needed, (s.plan #>> '{epochs,cached}')::float8 AS cached,
         (SELECT coalesce(sum(c.count), 0) FROM sweep_counts c WHERE c.sweep_id = s.id AND c.subject = 'trained')::float8 AS trained
     ) AS e
     WHERE s.client = $1 AND s.status IN ('running', 'paused')`,
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
    `Expected at most ${formatAmount(ownSweeps)} sweeps of one token or address that have not ended (${variableOf('ownSweeps')}), but this one has ${formatAmount(sweeps)} already`,
  );
};

/** Before a submission is stored. Errors: TOO_MANY_OWN_SUBMISSIONS, TOO_MANY_OWN_SWEEPS. */
export const refuseSubmissions = async (tx: Tx, client: string, limits: ClientLimits): Promise<void> => {
  const { submissions, sweeps } = await readUse(tx, client);
  if (submissions >= limits.ownSubmissions)
    throw new AppError(
      'TOO_MANY_OWN_SUBMISSIONS',
      `Expected at most ${formatAmount(limits.ownSubmissions)} unfinished submissions of one token or address (${variableOf('ownSubmissions')}), but this one has ${formatAmount(submissions)} already. See /v1/submissions.`,
    );
  refuseSweeps(sweeps + submissions, limits); // each submission becomes a sweep
};

/** Before a sweep is written. Errors: TOO_MANY_OWN_SWEEPS, TOO_MANY_OWN_BYTES. */
export const refuseSweep = async (
  tx: Tx,
  plan: Plan,
  { client, limits }: { readonly client: string; readonly limits: ClientLimits },
): Promise<void> => {
  const { sweeps, stored, expected } = await readUse(tx, client);
  refuseSweeps(sweeps, limits);
  const added = newBytesOf(plan);
  if (stored + expected + added <= limits.ownBytes) return;
  throw new AppError(
    'TOO_MANY_OWN_BYTES',
    `Expected at most ${formatBytes(limits.ownBytes)} of checkpoints for the sweeps of one token or address (${variableOf('ownBytes')}), but those of this one store ${formatBytes(stored)}, may store ${formatBytes(expected)} more until they end, and this sweep may add ${formatBytes(added)}`,
  );
};
