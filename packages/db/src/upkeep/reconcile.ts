/** Puts right what crashes leave behind. Every API and worker process calls it every few seconds; one at a time does the work. */
import type { StageKind } from '@funnel/contracts';
import { type AttemptError, endAttempt } from '../attempts/lease.ts';
import { failStage, returnStage } from '../attempts/release-stage.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { settleChanges } from '../lifecycle/settle-changes.ts';
import type { StageChange } from '../lifecycle/stage-change.ts';
import type { Reconciled } from '../types.ts';
import { repair } from './repair.ts';

export type ReconcileOptions = {
  /** Leases may run out this many times the number of attempts that may fail: machines die for reasons of their own. */
  readonly maxAttempts: number;
  /** The lease that workers ask for. */
  readonly leaseSeconds: number;
  /** What another process did less than this many seconds ago is not done again: a fleet of workers may all call. (Default: 1) */
  readonly everySeconds?: number;
};

const expiriesPerAttempt = 5;

/** Seconds between two visits that are nothing unusual, however short the lease. */
const minGap = 6;

/** Seconds by which the last visit may lie ahead because its transaction began after this one; more, and the clock was set back. */
const clockSlack = 1;

/** How many stages to ring for: each ring makes a worker claim until nothing is ready. */
const maxNotifications = 200;

/**
 * One process at a time, and not again at once. Resolves to the seconds since the last visit of any process (negative when the clock was
 * set back meanwhile), null if it is not its turn.
 */
const takeTurn = async (tx: Tx, everySeconds: number): Promise<number | null> => {
  const [turn] = await tx.query<{ applied: string | null; free: boolean; gap: number | null }>(
    `SELECT ${appliedMigration} AS applied, pg_try_advisory_xact_lock(hashtext('funnel reconcile')) AS free,
       (SELECT extract(epoch FROM now() - at)::float8 FROM duties WHERE name = 'reconcile') AS gap`,
  );
  checkMigration(turn!.applied);
  const gap = turn!.gap ?? Number.POSITIVE_INFINITY;
  const tooSoon = gap < everySeconds && gap > -clockSlack;
  if (!turn!.free || tooSoon) return null;
  await tx.query(
    `INSERT INTO duties (name, at) VALUES ('reconcile', now()) ON CONFLICT (name) DO UPDATE SET at = now()`,
  );
  return gap;
};

/**
 * After a gap (the database was away, or everything was down) workers have had no chance to renew their leases: they get one lease's time
 * before anything expires, so that a live one is never failed.
 */
const forgiveGap = async (tx: Tx, gap: number, leaseSeconds: number): Promise<void> => {
  if (gap <= Math.max(leaseSeconds / 2, minGap)) return;
  await tx.query(
    `UPDATE stages SET lease_until = now() + make_interval(secs => $1) WHERE status = 'running' AND lease_until < now() + make_interval(secs => $1)`,
    [leaseSeconds],
  );
};

/** The database's clock was set back: what was to happen at a time that is now far off happens as if it had been written just now. */
const followClock = async (tx: Tx, gap: number, leaseSeconds: number): Promise<void> => {
  if (gap > -clockSlack) return;
  await tx.query(
    `UPDATE stages SET lease_until = now() + make_interval(secs => $1) WHERE status = 'running' AND lease_until > now() + make_interval(secs => $1)`,
    [leaseSeconds],
  );
  await tx.query(
    `UPDATE stages SET ready_at = now() WHERE status IN ('waiting', 'ready') AND ready_at > now()`,
  );
  await tx.query(`UPDATE workers SET heartbeat_at = now() WHERE heartbeat_at > now()`);
};

type Expired = {
  readonly id: string;
  readonly kind: StageKind;
  readonly fencing_token: number;
  readonly worker_id: string;
  readonly expiries: number;
};

/** A stage that someone is just writing to is not dead: its row is locked, and skipped. */
const findExpired = (tx: Tx): Promise<readonly Expired[]> =>
  tx.query<Expired>(
    `UPDATE stages s SET expiries = expiries + 1
     FROM (SELECT id FROM stages WHERE status = 'running' AND lease_until < now() ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS e
     WHERE s.id = e.id RETURNING s.id, s.kind, s.fencing_token, s.worker_id, s.expiries`,
  );

const expire = async (tx: Tx, stage: Expired, maxAttempts: number): Promise<readonly StageChange[]> => {
  const error: AttemptError = {
    code: 'LEASE_EXPIRED',
    message: `Worker ${stage.worker_id} stopped renewing its lease (${stage.expiries} times in a row without a new epoch)`,
  };
  await endAttempt(tx, { stageId: stage.id, fencingToken: stage.fencing_token }, 'expired', error);
  return stage.expiries >= maxAttempts * expiriesPerAttempt
    ? failStage(tx, stage, error)
    : returnStage(tx, stage.id, 0);
};

/** Workers that have not been heard of for four leases are gone, and after a day forgotten. */
const retireSilent = async (tx: Tx, leaseSeconds: number): Promise<void> => {
  await tx.query(
    `UPDATE workers SET status = 'gone' WHERE status <> 'gone' AND heartbeat_at < now() - make_interval(secs => $1)`,
    [4 * leaseSeconds],
  );
  await tx.query(`DELETE FROM workers WHERE status = 'gone' AND heartbeat_at < now() - interval '1 day'`);
};

const notifications = async (tx: Tx): Promise<readonly string[]> => {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM stages WHERE status = 'ready' AND sweep_id IS NOT NULL AND ready_at <= now() LIMIT $1`,
    [maxNotifications],
  );
  return rows.map((row) => row.id);
};

const work = async (
  tx: Tx,
  { maxAttempts, leaseSeconds, everySeconds = 1 }: ReconcileOptions,
): Promise<Reconciled> => {
  const gap = await takeTurn(tx, everySeconds);
  if (gap === null) return { done: false, expired: [], repaired: 0, readyStages: [] };
  await forgiveGap(tx, gap, leaseSeconds);
  await followClock(tx, gap, leaseSeconds);
  const expired = await findExpired(tx);
  const changes: StageChange[] = [];
  for (const stage of expired) changes.push(...(await expire(tx, stage, maxAttempts)));
  const repaired = await repair(tx);
  await retireSilent(tx, leaseSeconds);
  await settleChanges(tx, { changes: [...changes, ...repaired] });
  return {
    done: true,
    expired: expired.map((stage) => stage.id),
    repaired: repaired.length,
    readyStages: await notifications(tx),
  };
};

/**
 * Expires leases by the database's clock, repairs what should have been ready, and tells which stages to ring for: all of them again,
 * since the queue may have lost any. Errors: SCHEMA_MISMATCH: a process of another version repairs nothing.
 */
export const reconcile = (db: Db, options: ReconcileOptions): Promise<Reconciled> =>
  transaction(db, (tx) => work(tx, options));
