import type { CleanCounts, FunnelEvent, Position } from '@funnel/contracts';
import { chainNumber, dropSuperseded, insertCheckpoint } from '../checkpoints/checkpoints.ts';
import { countBytes } from '../checkpoints/stored-bytes.ts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import type { Tx } from '../connection/transaction.ts';
import { passRecorded } from '../lifecycle/dependants.ts';
import { type CountChange, propagate, stageSweeps } from '../lifecycle/propagate.ts';
import type { CheckpointRecorded, CheckpointWrite, Report } from '../types.ts';
import { type LeasedStage, setUsage, usageParameters, withLease } from './lease.ts';

const writeMetrics = (
  tx: Tx,
  chainId: number,
  epoch: number,
  metrics: Readonly<Record<string, number | null>>,
) =>
  tx.run(
    `INSERT INTO metrics (chain_id, name, epoch, value)
     SELECT $1, name, $2, value FROM unnest($3::text[], $4::float8[]) AS m (name, value) ON CONFLICT DO NOTHING`,
    [chainId, epoch, Object.keys(metrics), Object.values(metrics)],
  );

const writeClassCounts = (tx: Tx, chainId: number, epoch: number, { images, correct }: CleanCounts) =>
  tx.run(
    'INSERT INTO class_counts (chain_id, epoch, images, correct) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [chainId, epoch, images, correct],
  );

/** Records the position of the training, and what the attempt has used so far. After a new epoch, earlier failures and expired leases no longer count against the stage. */
const noteProgress = (
  tx: Tx,
  report: Report,
  { epoch, step }: Position,
  newEpoch: boolean,
  matches: boolean,
) =>
  tx.run(
    `WITH stage AS (
       UPDATE stages SET epoch = $3, step = $4,
         failures = CASE WHEN $5 THEN 0 ELSE failures END, expiries = CASE WHEN $5 THEN 0 ELSE expiries END
       WHERE id = $1
     )
     UPDATE attempts SET epochs = epochs + CASE WHEN $5 THEN 1 ELSE 0 END, mismatches = mismatches + CASE WHEN $6 THEN 0 ELSE 1 END, ${setUsage(7)}
     WHERE stage_id = $1 AND fencing_token = $2`,
    [report.stageId, report.fencingToken, epoch, step, newEpoch, matches, ...usageParameters(report)],
  );

/** Completes another stage of the chain if this is its last epoch. */
const passOthers = async (tx: Tx, { spec }: LeasedStage, epoch: number) => {
  const rows = await tx.query(
    { id: text() },
    "SELECT id FROM stages WHERE kind <> 'attack' AND chain = $1 AND epochs = $2 AND id <> $3",
    [spec.chain, epoch, spec.id],
  );
  return passRecorded(
    tx,
    rows.map((row) => row.id),
  );
};

const epochEvents = async (
  tx: Tx,
  { spec }: LeasedStage,
  { manifest, metrics }: CheckpointWrite,
): Promise<FunnelEvent[]> => {
  const links = (await stageSweeps(tx, [spec.id])).get(spec.id) ?? [];
  return links.map(({ sweepId }) => ({
    type: 'epoch',
    sweepId,
    stage: spec.id,
    kind: spec.kind,
    position: manifest.position,
    epochs: spec.epochs,
    metrics: { ...metrics },
  }));
};

/** A new epoch counts for the sweep whose plan has it, and for every other sweep that needs it. */
const epochCounts = async (
  tx: Tx,
  { spec, plannedBy }: LeasedStage,
  epoch: number,
): Promise<readonly CountChange[]> => {
  const others = await tx.query(
    { sweep_id: text() },
    `SELECT DISTINCT l.sweep_id FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
     WHERE s.kind <> 'attack' AND s.chain = $1 AND s.epochs >= $2 AND l.direct AND l.sweep_id IS DISTINCT FROM $3`,
    [spec.chain, epoch, plannedBy],
  );
  return [
    ...(plannedBy === null ? [] : [{ sweepId: plannedBy, subject: 'trained', delta: 1 }]),
    ...others.map(({ sweep_id }) => ({ sweepId: sweep_id, subject: 'trained-elsewhere', delta: 1 })),
  ];
};

const record = async (tx: Tx, stage: LeasedStage, write: CheckpointWrite): Promise<CheckpointRecorded> => {
  const { manifest, metrics, perClass } = write;
  const { position } = manifest;
  const chainId = await chainNumber(tx, stage.spec.chain);
  const { hash, inserted, matches, stored } = await insertCheckpoint(tx, chainId, write, stage.plannedBy);
  const newEpoch = inserted && position.step === 0;
  await noteProgress(tx, write, position, newEpoch, matches);
  const dropped = await dropSuperseded(tx, chainId, position);
  if (metrics) await writeMetrics(tx, chainId, position.epoch, metrics);
  if (perClass) await writeClassCounts(tx, chainId, position.epoch, perClass);
  const changes = position.step === 0 ? await passOthers(tx, stage, position.epoch) : [];
  const counts = newEpoch ? await epochCounts(tx, stage, position.epoch) : [];
  await propagate(tx, { changes, counts, events: newEpoch ? await epochEvents(tx, stage, write) : [] });
  await countBytes(tx, [...stored, ...dropped]);
  return { hash, matches };
};

/**
 * Records the checkpoint of a position of the stage's chain, the metrics of the epoch and its counts per class. A second call with the same
 * checkpoint changes nothing. Other stages of the chain that end at this position complete. Errors: STALE_LEASE, INVALID_REQUEST (a blob is missing, or its
 * hash differs from its name).
 */
export const recordCheckpoint = (db: Db, write: CheckpointWrite): Promise<CheckpointRecorded> =>
  withLease(db, { lease: write, write: (tx, stage) => record(tx, stage, write) });
