/**
 * Gives a worker the best ready stage that it can run: the highest priority, then the sweep with the fewest running stages (below its limit),
 * then the oldest.
 */
import { type CheckpointManifest, StageKind } from '@funnel/contracts';
import { bool, int4, int8, jsonb, orNull, type RowOf, text, texts } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';
import { type StageRow, specOf, stageColumns } from '../lifecycle/stage-row.ts';
import { transitionSql } from '../lifecycle/transitions.ts';
import type { ClaimedStage, ClaimRequest, StageStart } from '../types.ts';
import { isAble, readyNeeds } from './abilities.ts';
import { isSetAside, mayClaim, takeProbe } from './set-aside.ts';

/** SQL: the worker failed at stage `s` last, and another worker could try it. So a broken worker spends one attempt of a stage at most. */
const isForOthers = (n: string): string => `(s.failures > 0 AND s.worker_id = $3 AND EXISTS (
  SELECT FROM workers o WHERE o.id <> $3 AND o.status = 'online' AND o.set_aside_at IS NULL AND ${isAble('o', n)}))`;

/**
 * SQL: the sweeps in the order in which they get the next worker. For each, the needs of its ready stages that the worker can satisfy, the
 * need of the first stage first; and the first stage with this need that no other transaction has locked. PostgreSQL stops at the first
 * stage that it finds. It checks and locks in one statement, so a stage is claimed once. A unique index makes sure that two stages of one
 * chain never run at once.
 */
const pick = `
  SELECT picked.id, turn.id AS sweep, turn.max_running, possible.memory_bytes
  FROM (
    SELECT w.id, w.priority, w.max_running, (SELECT count(*) FROM stages r WHERE r.sweep_id = w.id AND r.status = 'running') AS running
    FROM sweeps w
    WHERE w.status = 'running' AND ($2::text IS NULL OR w.id = $2) AND ${mayClaim('$3')}
    ORDER BY w.priority DESC, running, w.id
  ) AS turn
  CROSS JOIN LATERAL (
    SELECT n.* FROM (${readyNeeds('turn.id')}) AS ready JOIN needs n ON n.id = ready.need_id
    WHERE NOT EXISTS (SELECT FROM workers w WHERE w.id = $3 AND NOT ${isAble('w', 'n')})
    ORDER BY ready.ordinal
  ) AS possible
  CROSS JOIN LATERAL (
    SELECT s.id FROM stages s
    WHERE s.sweep_id = turn.id AND s.need_id = possible.id AND s.status = 'ready' AND s.ready_at <= now() AND s.kind = ANY($1)
      AND NOT EXISTS (SELECT FROM stages other WHERE other.chain = s.chain AND other.status = 'running')
      AND NOT ${isForOthers('possible')}
    ORDER BY s.ordinal
    LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS picked
  WHERE turn.max_running IS NULL
    OR (turn.running < turn.max_running AND pg_try_advisory_xact_lock(hashtext('funnel claim'), hashtext(turn.id)))
  LIMIT 1`;

/** SQL: one row in every case. Its `id` is null when no stage is ready. */
const pickOrNull = `SELECT ${appliedMigration} AS applied, ${isSetAside('$3')} AS aside, found.* FROM (VALUES (1)) AS always LEFT JOIN (${pick}) AS found ON true`;
const pickedColumns = {
  applied: orNull(text()),
  aside: bool(),
  id: orNull(text()),
  sweep: orNull(text()),
  max_running: orNull(int4()),
  memory_bytes: orNull(int8()),
};

/**
 * Whether the sweep has reached its limit of running stages. An advisory lock orders the claims from a sweep with a limit. The previous
 * claim may have committed after `pick` counted, so this function counts again.
 */
const isFull = async (tx: Tx, { sweep, max_running: max }: RowOf<typeof pickedColumns>): Promise<boolean> => {
  if (max === null) return false;
  const [row] = await tx.query(
    { running: int4() },
    "SELECT count(*)::int AS running FROM stages WHERE sweep_id = $1 AND status = 'running'",
    [sweep],
  );
  return row!.running >= max;
};

type Taken = { readonly row: StageRow; readonly memoryBytes: number; readonly sweepIds: readonly string[] };

/** The stage of an earlier claim of this worker whose answer was lost, with a new lease. */
const takeAgain = async (
  tx: Tx,
  { workerId, leaseSeconds, known = [] }: ClaimRequest,
): Promise<Taken | undefined> => {
  const [row] = await tx.query(
    { ...stageColumns, applied: orNull(text()), memory_bytes: int8(), sweep_ids: texts() },
    `WITH again AS (
       SELECT id FROM stages WHERE worker_id = $1 AND status = 'running' AND id <> ALL($2) LIMIT 1 FOR NO KEY UPDATE
     )
     UPDATE stages s SET lease_until = now() + make_interval(secs => $3) FROM again, needs n WHERE s.id = again.id AND n.id = s.need_id
     RETURNING s.*, n.memory_bytes, ${appliedMigration} AS applied,
       ARRAY(SELECT sweep_id FROM sweep_stages l WHERE l.stage_id = s.id ORDER BY sweep_id) AS sweep_ids`,
    [workerId, known, leaseSeconds],
  );
  if (!row) return undefined;
  checkMigration(row.applied);
  return { row, memoryBytes: row.memory_bytes, sweepIds: row.sweep_ids };
};

const take = async (tx: Tx, request: ClaimRequest): Promise<Taken | undefined> => {
  const { workerId, leaseSeconds, kinds = StageKind.options, sweep = null } = request;
  const [picked] = await tx.query(pickedColumns, pickOrNull, [kinds, sweep, workerId]);
  checkMigration(picked!.applied);
  if (picked!.id === null || (await isFull(tx, picked!))) return undefined;
  if (picked!.aside && !(await takeProbe(tx, workerId))) return undefined;
  const [row] = await tx.query(
    stageColumns,
    `WITH claimed AS (
       ${transitionSql('claim', 'SELECT $1::text AS id, $2::text AS worker_id, $3::float8 AS lease_seconds', { returning: 's.*' })}
     ), attempt AS (
       INSERT INTO attempts (stage_id, fencing_token, worker_id, backend, device, engine_version)
       SELECT id, fencing_token, worker_id, $4, $5, $6 FROM claimed
     ), begun AS (
       UPDATE sweeps SET started_at = now() WHERE id IN (
         SELECT w.id FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id
         WHERE l.stage_id = $1 AND w.started_at IS NULL
         FOR NO KEY UPDATE OF w SKIP LOCKED -- many workers may start at once: one of them writes the time, and the others do not wait
       )
     )
     SELECT * FROM claimed`,
    [
      picked!.id,
      workerId,
      leaseSeconds,
      request.backend ?? null,
      request.device ?? null,
      request.engineVersion ?? null,
    ],
  );
  if (!row) return undefined;
  const { id, kind } = row;
  const links = await propagate(tx, { changes: [{ id, kind, from: 'ready', to: 'running' }] });
  return {
    row,
    memoryBytes: picked!.memory_bytes ?? 0,
    sweepIds: links.get(id)?.map((link) => link.sweepId) ?? [],
  };
};

/**
 * The start of the training: the furthest checkpoint of its own chain from which training can continue, else the final networks of its
 * parent, else null (random weights).
 */
const startOf = async (tx: Tx, stage: StageRow): Promise<StageStart | null> => {
  const [row] = await tx.query(
    { manifest: jsonb<CheckpointManifest>(), own: bool() },
    `(SELECT p.manifest, true AS own FROM chains c JOIN checkpoints p ON p.chain_id = c.id
      WHERE c.hash = $1 AND p.continuable AND (p.epoch, p.step) <= ($2, 0)
      ORDER BY p.epoch DESC, p.step DESC LIMIT 1)
     UNION ALL
     (SELECT p.manifest, false FROM stages s JOIN chains c ON c.hash = s.chain
      JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
      WHERE s.id = $3)
     LIMIT 1`,
    [stage.chain, stage.epochs, stage.parent],
  );
  if (!row) return null;
  return row.own
    ? { manifest: row.manifest, sameChain: true }
    : { manifest: { ...row.manifest, moments: null }, sameChain: false };
};

/** The final networks of the surrogates of an attack, in the order of its specification, without unusable ones. */
const surrogatesOf = async (tx: Tx, { surrogates }: StageRow): Promise<readonly CheckpointManifest[]> => {
  if (surrogates.length === 0) return [];
  const rows = await tx.query(
    { manifest: jsonb<CheckpointManifest>() },
    `SELECT p.manifest FROM stages s JOIN chains c ON c.hash = s.chain
     JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
     WHERE s.id = ANY($1) AND s.status = 'completed' ORDER BY s.id`,
    [surrogates],
  );
  return rows.map(({ manifest }) => ({ ...manifest, moments: null }));
};

/** A claim that took longer than this part of its lease begins the lease anew. */
const slowPart = 0.25;

/**
 * The lease of a claim begins with its transaction. When many workers start at once, the transaction may wait for the counts of the sweep for
 * longer than the lease, and the claimed stage would expire at once.
 */
const renewIfSlow = async (
  tx: Tx,
  stageId: string,
  { leaseSeconds }: ClaimRequest,
  started: number,
): Promise<void> => {
  if (performance.now() - started < leaseSeconds * 1000 * slowPart) return;
  await tx.run(
    'UPDATE stages SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE id = $1',
    [stageId, leaseSeconds],
  );
};

/**
 * Claims a stage. The caller has it until its lease runs out; `heartbeat` renews the lease. Null: no stage is ready (that this worker can run, of
 * these kinds, for this sweep, within the limit of running stages). Errors: SCHEMA_MISMATCH when the database has another schema than this version.
 */
export const claimStage = (db: Db, request: ClaimRequest): Promise<ClaimedStage | null> =>
  transaction(db, async (tx) => {
    const started = performance.now();
    const taken = (request.known && (await takeAgain(tx, request))) ?? (await take(tx, request));
    if (!taken) return null;
    const { row: stage, memoryBytes, sweepIds } = taken;
    const start = await startOf(tx, stage);
    const surrogates = await surrogatesOf(tx, stage);
    await renewIfSlow(tx, stage.id, request, started);
    return {
      stageId: stage.id,
      fencingToken: stage.fencing_token,
      workerId: request.workerId,
      spec: specOf(stage),
      attempt: stage.failures + stage.expiries + 1,
      memoryBytes,
      start,
      surrogates,
      sweepIds,
    };
  });
