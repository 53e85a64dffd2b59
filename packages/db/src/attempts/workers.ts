/** The rows of workers: registration, heartbeats, the end of a worker. */
import type { StageStatus } from '@funnel/contracts';
import { bool, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration, newestMigration } from '../connection/schema-version.ts';
import { reading, transaction } from '../connection/transaction.ts';
import type { Abilities, Heartbeat, HeartbeatAnswer, WorkerRegistration } from '../types.ts';
import { abilityValues } from './abilities.ts';

const unknown: Abilities = { engineVersion: null, trainerBytes: null, datasets: null };

/** Writes the row of a worker that starts, which may claim everything again that it has the abilities for. The version includes the schema, in semver's notation: `0.1.0+0006_worst_case`. */
export const registerWorker = async (db: Db, worker: WorkerRegistration): Promise<void> => {
  const { id, host, pid, version, backend, device, slots, abilities = unknown } = worker;
  await reading(db).run(
    `WITH forgotten AS (DELETE FROM refusals WHERE worker_id = $1)
     INSERT INTO workers (id, host, pid, version, backend, device, slots, engine_version, trainer_bytes, datasets)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (id) DO UPDATE SET host = $2, pid = $3, version = $4, backend = $5, device = $6, slots = $7,
       engine_version = $8, trainer_bytes = $9, datasets = $10,
       status = 'online', started_at = now(), heartbeat_at = now(), failures = 0, set_aside_at = NULL, probe_at = NULL`,
    [
      ...[id, host, pid, `${version}+${newestMigration}`, backend, device, slots],
      ...abilityValues(abilities),
    ],
  );
};

/**
 * `draining`: the worker claims no more stages. `gone`: it has ended. Does not touch its leases: call `releaseStage` for each of them
 * before.
 */
export const retireWorker = async (
  db: Db,
  { workerId, status }: { workerId: string; status: 'draining' | 'gone' },
): Promise<void> => {
  await reading(db).run('UPDATE workers SET status = $2, heartbeat_at = now() WHERE id = $1', [
    workerId,
    status,
  ]);
};

/** One row for each lease whose stage could be locked or does not exist; or one row without a stage. */
const heartbeatColumns = {
  applied: orNull(text()),
  registered: bool(),
  stage_id: orNull(text()),
  status: orNull(text<StageStatus>()),
  same: orNull(bool()),
  held: orNull(bool()),
};

/**
 * Renews all leases of a worker in one statement, by the clock of the database, and ends its cancelled attempts whose trainers have stopped.
 * Resolves to the stages that the worker no longer has, the stages that it should stop, and whether the worker has a row. A stage that
 * another transaction has locked waits for the next heartbeat; a locked stage cannot expire.
 * Errors: SCHEMA_MISMATCH when the database has another schema than this version; the call then renews no lease.
 */
export const heartbeat = async (
  db: Db,
  { workerId, leases, stopping = [], memoryBytes, leaseSeconds }: Heartbeat,
): Promise<HeartbeatAnswer> => {
  const rows = await transaction(
    db,
    async (tx) => {
      const found = await tx.query(
        heartbeatColumns,
        `WITH worker AS (
       UPDATE workers SET heartbeat_at = now(), memory_bytes = $2, status = CASE WHEN status = 'gone' THEN 'online' ELSE status END WHERE id = $1 RETURNING id
     ), stopped AS (
       UPDATE attempts a SET ended_at = now()
       WHERE a.worker_id = $1 AND a.outcome = 'cancelled' AND a.ended_at IS NULL AND a.stage_id <> ALL($3) AND a.stage_id <> ALL($9)
     ), held AS (
       SELECT * FROM unnest($3::text[], $4::int[], $5::int[], $6::int[], $7::float8[]) AS h (stage_id, fencing_token, epoch, step, images_per_second)
     ), found AS (
       SELECT s.id, s.status, CASE WHEN s.worker_id = $1 THEN s.fencing_token END AS fencing_token, s.sweep_id FROM stages s
       WHERE s.id IN (SELECT stage_id FROM held) ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED
     ), kept AS (
       UPDATE stages s SET lease_until = now() + make_interval(secs => $8),
         epoch = coalesce(h.epoch, s.epoch), step = coalesce(h.step, s.step), images_per_second = h.images_per_second
       FROM held h JOIN found f ON f.id = h.stage_id
       WHERE s.id = f.id AND f.status = 'running' AND f.fencing_token = h.fencing_token
     )
     SELECT ${appliedMigration} AS applied, EXISTS (SELECT FROM worker) AS registered, answer.* FROM (VALUES (1)) AS always LEFT JOIN (
       SELECT h.stage_id, f.status, f.fencing_token = h.fencing_token AS same, f.sweep_id IS NULL AS held
       FROM held h LEFT JOIN found f ON f.id = h.stage_id
       WHERE f.id IS NOT NULL OR NOT EXISTS (SELECT FROM stages s WHERE s.id = h.stage_id)
     ) AS answer ON true`,
        [
          workerId,
          memoryBytes === null ? null : Math.round(memoryBytes),
          leases.map((lease) => lease.stageId),
          leases.map((lease) => lease.fencingToken),
          leases.map((lease) => lease.position?.epoch ?? null),
          leases.map((lease) => lease.position?.step ?? null),
          leases.map((lease) => lease.imagesPerSecond),
          leaseSeconds,
          stopping,
        ],
      );
      checkMigration(found[0]!.applied);
      return found;
    },
    // Two tries fit into one lease, if the first one meets a silent connection. A shorter limit would end heartbeats that are only slow.
    { timeoutMs: Math.max(1000, leaseSeconds * 400) },
  );
  const lost: string[] = [];
  const stop: { stageId: string; reason: 'cancel' | 'pause' }[] = [];
  for (const { stage_id: stageId, status, same, held } of rows) {
    if (stageId === null) continue;
    if (same && status === 'cancelled') stop.push({ stageId, reason: 'cancel' });
    else if (!same || status !== 'running') lost.push(stageId);
    else if (held) stop.push({ stageId, reason: 'pause' });
  }
  return { isRegistered: rows[0]!.registered, lost, stop };
};
