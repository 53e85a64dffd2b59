/**
 * Repairs the state of the tables after crashes. Every API and worker process calls this every few seconds; only one of them at a time does
 * the work.
 */
import type { StageStatus } from '@funnel/contracts';
import { type BadEnd, failStages, returnStage } from '../attempts/end-attempt.ts';
import { failHopeless } from '../attempts/hand-back.ts';
import { type AttemptError, recordOutcome } from '../attempts/lease.ts';
import { setAsideWorkers } from '../attempts/set-aside.ts';
import { bool, float8, int4, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { dropUnfinished } from '../datasets/collect-datasets.ts';
import {
  hasNoSurrogate,
  isFree,
  passRecorded,
  releaseDependants,
  skipDependants,
} from '../lifecycle/dependants.ts';
import { unfinishedSweeps } from '../lifecycle/failing-batches.ts';
import { type CountChange, propagate } from '../lifecycle/propagate.ts';
import { scheduleOrphans } from '../lifecycle/scheduling.ts';
import { idsOf, type StageChange } from '../lifecycle/transitions.ts';
import { heldUntil } from '../searches/due-searches.ts';
import type { Reconciled } from '../types.ts';

export type ReconcileOptions = {
  /**
   * Failed attempts before a stage fails. A stage may lose its lease `expiriesPerAttempt` times as often, because a lost machine is usually
   * not the fault of the stage.
   */
  readonly maxAttempts: number;
  /** Seconds of a worker's lease. */
  readonly leaseSeconds: number;
  /** Does nothing if another process has reconciled within this number of seconds. (Default: 1) */
  readonly everySeconds?: number;
};

const expiriesPerAttempt = 5;

/** A shorter time between two rounds, in seconds, never counts as a gap, even if the lease is short. */
const minGap = 6;

/**
 * The last round may lie up to this many seconds in the future, because its transaction may have begun after this one. If it lies further
 * in the future, the clock was set back.
 */
const clockSlack = 1;

/** The largest number of stages to announce again. It need not be large: after one notification a worker claims until no stage is ready. */
const maxAnnounced = 200;

/**
 * Resolves to the seconds since the last round of any process (negative when the clock was set back meanwhile). Null: another process is
 * reconciling, or has just reconciled.
 */
const takeTurn = async (tx: Tx, everySeconds: number): Promise<number | null> => {
  const [turn] = await tx.query(
    { applied: orNull(text()), free: bool(), gap: orNull(float8()) },
    `SELECT ${appliedMigration} AS applied, pg_try_advisory_xact_lock(hashtext('funnel reconcile')) AS free,
       (SELECT extract(epoch FROM now() - at)::float8 FROM duties WHERE name = 'reconcile') AS gap`,
  );
  checkMigration(turn!.applied);
  const gap = turn!.gap ?? Number.POSITIVE_INFINITY;
  const tooSoon = gap < everySeconds && gap > -clockSlack;
  if (!turn!.free || tooSoon) return null;
  await tx.run(
    `INSERT INTO duties (name, at) VALUES ('reconcile', now()) ON CONFLICT (name) DO UPDATE SET at = now()`,
  );
  return gap;
};

/**
 * During a gap (the database or the whole service was down) no worker could renew its leases. After it, all leases are valid for the time
 * of one lease, so that no live worker loses its stage.
 */
const forgiveGap = async (tx: Tx, gap: number, leaseSeconds: number): Promise<void> => {
  if (gap <= Math.max(leaseSeconds / 2, minGap)) return;
  await tx.run(
    `UPDATE stages SET lease_until = now() + make_interval(secs => $1) WHERE status = 'running' AND lease_until < now() + make_interval(secs => $1)`,
    [leaseSeconds],
  );
};

/**
 * If the clock of the database was set back, times that were stored before lie too far in the future. They become the times of a write at
 * this moment.
 */
const followClock = async (tx: Tx, gap: number, leaseSeconds: number): Promise<void> => {
  if (gap > -clockSlack) return;
  await tx.run(
    `UPDATE stages SET lease_until = now() + make_interval(secs => $1) WHERE status = 'running' AND lease_until > now() + make_interval(secs => $1)`,
    [leaseSeconds],
  );
  await tx.run(
    `UPDATE stages SET ready_at = now() WHERE status IN ('waiting', 'ready') AND ready_at > now()`,
  );
  await tx.run('UPDATE outbox SET due_at = now() WHERE due_at > now()');
  await tx.run(`UPDATE searches SET held_until = now() WHERE held_until > ${heldUntil}`);
  await tx.run(`UPDATE workers SET heartbeat_at = now() WHERE heartbeat_at > now()`);
};

const expiredColumns = {
  id: text(),
  fencing_token: int4(),
  worker_id: orNull(text()),
  expiries: int4(),
};
type Expired = RowOf<typeof expiredColumns>;

/** Finds the stages whose lease has run out, and counts the expiry. Skips locked stages: their worker is writing, so it is alive. */
const findExpired = (tx: Tx): Promise<readonly Expired[]> =>
  tx.query(
    expiredColumns,
    `UPDATE stages s SET expiries = expiries + 1
     FROM (SELECT id FROM stages WHERE status = 'running' AND lease_until < now() ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS e
     WHERE s.id = e.id RETURNING s.id, s.fencing_token, s.worker_id, s.expiries`,
  );

const expire = async (
  tx: Tx,
  stages: readonly Expired[],
  maxAttempts: number,
): Promise<readonly StageChange[]> => {
  const changes: StageChange[] = [];
  const failed: BadEnd[] = [];
  for (const { id, fencing_token: fencingToken, worker_id: workerId, expiries } of stages) {
    const error: AttemptError = {
      code: 'LEASE_EXPIRED',
      message: `Worker ${workerId} stopped renewing its lease (${expiries} times in a row without a new epoch)`,
    };
    await recordOutcome(tx, { stageId: id, fencingToken }, 'expired', error);
    if (expiries >= maxAttempts * expiriesPerAttempt) failed.push({ id, ...error });
    else changes.push(...(await returnStage(tx, id, 0)));
  }
  return [...changes, ...(await failStages(tx, failed))];
};

/** A worker without a heartbeat for the time of four leases is gone; after a day its row is deleted. */
const retireSilent = async (tx: Tx, leaseSeconds: number): Promise<void> => {
  await tx.run(
    `UPDATE workers SET status = 'gone' WHERE status <> 'gone' AND heartbeat_at < now() - make_interval(secs => $1)`,
    [4 * leaseSeconds],
  );
  await tx.run(`DELETE FROM workers WHERE status = 'gone' AND heartbeat_at < now() - interval '1 day'`);
};

/** Ends the cancelled attempts of workers that are gone. Other workers end theirs by a heartbeat. */
const endForgotten = (tx: Tx): Promise<void> =>
  tx.run(
    `UPDATE attempts a SET ended_at = now() WHERE a.outcome = 'cancelled' AND a.ended_at IS NULL
       AND NOT EXISTS (SELECT FROM workers w WHERE w.id = a.worker_id AND w.status <> 'gone')`,
  );

/** After a longer time without a round, the service was probably down, and nothing ran. Seconds. */
const maxActiveGap = 10;

/**
 * Adds the time since the last round to each sweep of which a stage runs now, for whichever sweep it is scheduled, and the part of attacks in it. The remaining time of a sweep is
 * computed from these sums, so pauses and times without workers do not count.
 */
const addActiveTime = async (tx: Tx, gap: number): Promise<readonly CountChange[]> => {
  const delta = Math.round(1000 * Math.max(0, Math.min(gap, maxActiveGap)));
  const rows = await tx.query(
    { id: text(), attacking: orNull(float8()) },
    `SELECT w.id, avg((s.kind = 'attack')::int)::float8 AS attacking
     FROM stages s JOIN sweep_stages l ON l.stage_id = s.id JOIN sweeps w ON w.id = l.sweep_id
     WHERE s.status = 'running' AND l.direct GROUP BY w.id`,
  );
  return rows.flatMap(({ id, attacking }) => [
    { sweepId: id, subject: 'active', delta },
    { sweepId: id, subject: 'active:attack', delta: Math.round(delta * (attacking ?? 0)) },
  ]);
};

/** Seconds between two repairs. A repair reads all waiting stages. */
const repairSeconds = 60;
/** Events are deleted after this number of days, when no stream asks for them any more. */
const eventDays = 7;

const isRepairDue = async (tx: Tx): Promise<boolean> => {
  const rows = await tx.query(
    { name: text() },
    `INSERT INTO duties AS d (name, at) VALUES ('repair', now())
     ON CONFLICT (name) DO UPDATE SET at = now() WHERE d.at < now() - make_interval(secs => $1)
     RETURNING name`,
    [repairSeconds],
  );
  return rows.length > 0;
};

/** SQL: no batches are left for any sweep of stage `s`. They may do what a repair would do. */
const isSettled = (s: string): string =>
  `NOT EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = ${s}.id AND l.sweep_id IN (${unfinishedSweeps}))`;

/**
 * Finds ended stages for which another stage waits by mistake. The other stage should be ready, because everything that it depends on has
 * ended, or skipped, because a part of it has no result.
 */
const stuck = (tx: Tx): Promise<readonly { readonly id: string; readonly status: StageStatus }[]> =>
  tx.query(
    { id: text(), status: text<StageStatus>() },
    `SELECT a.id, a.status FROM stages s JOIN stages a ON a.id = s.depends_on
     WHERE s.status = 'waiting' AND a.status NOT IN ('waiting', 'ready', 'running')
       AND (a.status <> 'completed' OR ${isFree('s')} OR ${hasNoSurrogate('s')}) AND ${isSettled('s')}
     UNION
     SELECT a.id, a.status FROM stages s CROSS JOIN LATERAL unnest(s.surrogates) AS g (id) JOIN stages a ON a.id = g.id
     WHERE s.status = 'waiting' AND s.surrogates <> '{}' AND coalesce(a.skip_cause, a.status) IN ('failed', 'cancelled')
       AND ${isSettled('s')}
     ORDER BY 1 LIMIT 1000`,
  );

/** Unfinished stages whose last epoch a longer run of their chain has recorded. */
const recorded = async (tx: Tx): Promise<readonly string[]> => {
  const rows = await tx.query(
    { id: text() },
    `SELECT s.id FROM stages s JOIN chains c ON c.hash = s.chain
     JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
     WHERE s.status IN ('waiting', 'ready') AND s.kind <> 'attack' AND ${isSettled('s')} LIMIT 1000`,
  );
  return rows.map((row) => row.id);
};

/**
 * Corrects statuses that no transaction of this package leaves behind, but not those of sweeps for which batches are left. Resolves to the changes: there are none unless there is a bug or
 * somebody changed the tables.
 */
const repair = async (tx: Tx): Promise<readonly StageChange[]> => {
  if (!(await isRepairDue(tx))) return [];
  await tx.run('DELETE FROM events WHERE at < now() - make_interval(days => $1)', [eventDays]);
  await tx.run(`DELETE FROM submissions WHERE finished_at < now() - interval '1 day'`);
  await dropUnfinished(tx);
  await scheduleOrphans(tx, unfinishedSweeps);
  const changes: StageChange[] = [...(await passRecorded(tx, await recorded(tx)))];
  const ended = await stuck(tx);
  const completed = idsOf(ended.filter(({ status }) => status === 'completed'));
  const others = idsOf(ended.filter(({ status }) => status !== 'completed'));
  if (completed.length > 0) changes.push(...(await releaseDependants(tx, completed)));
  if (others.length > 0) changes.push(...(await skipDependants(tx, others)));
  return changes;
};

/**
 * Announces ready stages again, because the queue may lose notifications. Adds no rows while earlier rows wait for the relay, but wakes the
 * relay in both cases. Deletes rows of stages that are no longer ready: workers also find stages without the queue, so the outbox would
 * grow while the queue is away.
 */
const announceAgain = async (tx: Tx): Promise<void> => {
  await tx.run(
    `DELETE FROM outbox o WHERE NOT EXISTS (SELECT FROM stages s WHERE s.id = o.stage_id AND s.status = 'ready')`,
  );
  await tx.run(
    `INSERT INTO outbox (stage_id, due_at)
     SELECT id, ready_at FROM stages
     WHERE status = 'ready' AND sweep_id IS NOT NULL AND ready_at <= now() AND NOT EXISTS (SELECT FROM outbox WHERE due_at <= now())
     LIMIT ${maxAnnounced}`,
  );
  tx.wake('outbox');
};

const reconcileOnce = async (
  tx: Tx,
  { maxAttempts, leaseSeconds, everySeconds = 1 }: ReconcileOptions,
): Promise<Reconciled> => {
  const gap = await takeTurn(tx, everySeconds);
  if (gap === null) return { done: false, expired: [], repaired: 0 };
  await forgiveGap(tx, gap, leaseSeconds);
  await followClock(tx, gap, leaseSeconds);
  const expired = await findExpired(tx);
  const changes = [...(await expire(tx, expired, maxAttempts)), ...(await failHopeless(tx))];
  const repaired = await repair(tx);
  await setAsideWorkers(tx);
  await retireSilent(tx, leaseSeconds);
  await endForgotten(tx);
  const counts = await addActiveTime(tx, gap);
  await propagate(tx, { changes: [...changes, ...repaired], counts });
  await announceAgain(tx);
  // If the process that had begun them was killed.
  tx.wake('propagations');
  tx.wake('searches');
  return { done: true, expired: expired.map((stage) => stage.id), repaired: repaired.length };
};

/**
 * Expires leases by the database's clock, repairs statuses, and announces ready stages again. Errors: SCHEMA_MISMATCH, because a process of
 * another version must repair nothing.
 */
export const reconcile = (db: Db, options: ReconcileOptions): Promise<Reconciled> =>
  transaction(db, (tx) => reconcileOnce(tx, options));
