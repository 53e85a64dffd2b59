/** Stages with their progress, use of the machine, and reasons to wait. */
import {
  AppError,
  type AttackRun,
  type HyperparameterValue,
  type RecipeName,
  type Stage,
  type StageKind,
  type StageStatus,
  type Usage,
} from '@funnel/contracts';
import {
  float8,
  int4,
  int8,
  jsonb,
  listOf,
  orNull,
  type RowOf,
  text,
  texts,
  timestamptz,
} from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import type { Page } from '../types.ts';
import { isNumber, pageOf, readCursor } from './pages.ts';
import { assertSweep } from './sweeps.ts';
import { waitsOf } from './waits.ts';

/** Columns of table `stages`. */
const ownColumns = {
  id: text(),
  chain: text(),
  kind: text<StageKind>(),
  recipe: text<RecipeName>(),
  status: text<StageStatus>(),
  hyperparameters: jsonb<Record<string, HyperparameterValue>>(),
  seed: int4(),
  epochs: int4(),
  start_epoch: int4(),
  epoch: orNull(int4()),
  step: orNull(int4()),
  parent: orNull(text()),
  depends_on: orNull(text()),
  attack: orNull(jsonb<AttackRun>()),
  surrogates: texts(),
  fencing_token: int4(),
  worker_id: orNull(text()),
  checkpoint: orNull(text()),
  error_code: orNull(text()),
  error_message: orNull(text()),
  started_at: orNull(timestamptz()),
  finished_at: orNull(timestamptz()),
  sweep_id: orNull(text()),
  need_id: int4(),
};

const stageColumns = {
  ...ownColumns,
  attempts: int8(),
  /** Seconds of all attempts together; null before the first attempt. */
  seconds: orNull(float8()),
  /** Of the attempts that measured it; null if none did. */
  usage: orNull(jsonb<Usage>()),
  /** The number of trials that have the stage. */
  shared_by: int8(),
};

/** The SELECT list of `stageColumns` for a stage `s`, whose attempts are joined by `joinTotals`. */
const stageList = `${listOf(ownColumns, 's')}, totals.attempts, totals.seconds, totals.usage,
  (SELECT count(*) FROM trial_stages ts WHERE ts.stage_id = s.id) AS shared_by`;

const joinTotals = `CROSS JOIN LATERAL (
  SELECT count(*) AS attempts, sum(extract(epoch FROM coalesce(a.ended_at, now()) - a.started_at))::float8 AS seconds,
    CASE WHEN count(a.cpu_seconds) > 0 THEN jsonb_build_object(
      'seconds', sum(a.trainer_seconds), 'cpuSeconds', sum(a.cpu_seconds), 'peakBytes', max(a.peak_bytes)) END AS usage
  FROM attempts a WHERE a.stage_id = s.id) AS totals`;

type StageRow = RowOf<typeof stageColumns>;

/** Stages that a worker could claim, if it could run them. */
const isWaiting = ({ status, sweep_id }: StageRow): boolean => status === 'ready' && sweep_id !== null;

/** Adds to each ready stage why it waits, if no live worker can run it. */
const withWaits = async <Row extends StageRow>(
  tx: Tx,
  rows: readonly Row[],
): Promise<readonly (Row & { readonly waits_for: string | null })[]> => {
  const waits = await waitsOf(
    tx,
    rows.filter(isWaiting).map((row) => row.need_id),
  );
  return rows.map((row) => ({
    ...row,
    waits_for: isWaiting(row) ? (waits.get(row.need_id) ?? null) : null,
  }));
};

const stageOf = (row: StageRow & { readonly waits_for: string | null }): Stage => ({
  id: row.id,
  chain: row.chain,
  kind: row.kind,
  recipe: row.recipe,
  status: row.status,
  hyperparameters: row.hyperparameters,
  seed: row.seed,
  epochs: row.epochs,
  startEpoch: row.start_epoch,
  position: row.epoch === null ? null : { epoch: row.epoch, step: row.step ?? 0 },
  parent: row.parent,
  dependsOn: row.depends_on,
  attack: row.attack,
  surrogates: row.surrogates,
  attempts: row.attempts,
  fencingToken: row.fencing_token,
  workerId: row.worker_id,
  checkpoint: row.checkpoint,
  error:
    row.error_message === null ? null : { code: row.error_code ?? 'INTERNAL', message: row.error_message },
  waitsFor: row.waits_for,
  sharedBy: row.shared_by,
  seconds: row.seconds,
  usage: row.usage,
  startedAt: row.started_at?.toISOString() ?? null,
  finishedAt: row.finished_at?.toISOString() ?? null,
});

/** The stages of a sweep in the order in which they should run, then the stages of other sweeps that these wait for. Errors: NOT_FOUND. */
export const listStages = async (
  db: Db,
  { sweepId, limit, cursor }: { readonly sweepId: string; readonly limit: number; readonly cursor?: string },
): Promise<Page<Stage>> => {
  const lastOrdinal = cursor ? readCursor(cursor, isNumber) : -1;
  if (!cursor) await assertSweep(db, sweepId);
  const tx = reading(db);
  const rows = await tx.query(
    { ...stageColumns, ordinal: int4() },
    `SELECT ${stageList}, l.ordinal
     FROM (SELECT stage_id, ordinal FROM sweep_stages WHERE sweep_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3) AS l
     JOIN stages s ON s.id = l.stage_id ${joinTotals} ORDER BY l.ordinal`,
    [sweepId, lastOrdinal, limit + 1],
  );
  return pageOf(await withWaits(tx, rows), limit, stageOf, (last) => last.ordinal);
};

export const missingStage = (id: string) =>
  new AppError('NOT_FOUND', `Expected a stage, but there is none with id ${id}`);

/** Errors: NOT_FOUND. */
export const getStage = async (db: Db, id: string): Promise<Stage> => {
  const tx = reading(db);
  const rows = await tx.query(
    stageColumns,
    `SELECT ${stageList} FROM stages s ${joinTotals} WHERE s.id = $1`,
    [id],
  );
  const [stage] = await withWaits(tx, rows);
  if (!stage) throw missingStage(id);
  return stageOf(stage);
};

/** The stages of each trial, in the order in which they run. */
export const stagesOfTrials = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Stage[]>> => {
  const rows = await tx.query(
    { trial_id: text(), ...stageColumns },
    `SELECT l.trial_id, ${stageList} FROM trial_stages l JOIN stages s ON s.id = l.stage_id ${joinTotals}
     WHERE l.trial_id = ANY($1) ORDER BY l.trial_id, l.ordinal`,
    [trialIds],
  );
  const found = new Map(trialIds.map((id) => [id, [] as Stage[]]));
  for (const row of await withWaits(tx, rows)) found.get(row.trial_id)?.push(stageOf(row));
  return found;
};
