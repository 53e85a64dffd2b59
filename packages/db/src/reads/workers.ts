import {
  datasetOfDigest,
  type Lack,
  type StageKind,
  type Worker,
  type WorkerDataset,
} from '@funnel/contracts';
import { missingWorker } from '../attempts/set-aside.ts';
import {
  float8,
  int4,
  int8,
  jsonb,
  listOf,
  orNull,
  type RowOf,
  text,
  timestamptz,
} from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { storedNames } from '../datasets/find-dataset.ts';

const workerColumns = {
  id: text(),
  host: text(),
  pid: int4(),
  version: text(),
  backend: text(),
  device: text(),
  slots: int4(),
  status: text<Worker['status']>(),
  started_at: timestamptz(),
  heartbeat_at: timestamptz(),
  memory_bytes: orNull(int8()),
  engine_version: orNull(text()),
  trainer_bytes: orNull(int8()),
  datasets: orNull(jsonb<readonly WorkerDataset[]>()),
  failures: int4(),
  set_aside_at: orNull(timestamptz()),
  probe_at: orNull(timestamptz()),
};

const refusalColumns = {
  worker_id: text(),
  kind: text<StageKind | ''>(),
  method: text(),
  dataset: text(),
  lack: text<Lack>(),
  reason: text(),
  at: timestamptz(),
};

const runningColumns = {
  worker_id: orNull(text()),
  id: text(),
  kind: text<StageKind>(),
  epoch: orNull(int4()),
  step: orNull(int4()),
  epochs: int4(),
  images_per_second: orNull(float8()),
};

/** Workers of 0.1.0 stored a version of another kind here, without a schema. */
const versionsOf = (stored: string): Pick<Worker, 'version' | 'schema'> => {
  const [version, schema = null] = stored.split('+') as [string, string?]; // a text has at least one part
  return { version, schema };
};

type WorkerRow = RowOf<typeof workerColumns>;

const setAsideOf = ({ set_aside_at: since, probe_at: probe, failures }: WorkerRow): Worker['setAside'] =>
  since === null || probe === null
    ? null
    : { since: since.toISOString(), failures, probeAt: probe.toISOString() };

const describe = async (tx: Tx, workers: readonly WorkerRow[]): Promise<readonly Worker[]> => {
  const running = await tx.query(
    runningColumns,
    `SELECT ${listOf(runningColumns, 's')} FROM stages s WHERE s.status = 'running' ORDER BY s.started_at, s.id`,
  );
  const refusals = await tx.query(
    refusalColumns,
    `SELECT r.worker_id, n.kind, n.method, n.dataset, r.lack, r.reason, r.at
     FROM refusals r JOIN needs n ON n.id = r.need_id WHERE r.worker_id = ANY($1) ORDER BY r.at DESC, n.id`,
    [workers.map((worker) => worker.id)],
  );
  const names = await storedNames(tx);
  return workers.map((worker) => ({
    id: worker.id,
    host: worker.host,
    pid: worker.pid,
    backend: worker.backend,
    device: worker.device,
    slots: worker.slots,
    status: worker.status,
    ...versionsOf(worker.version),
    startedAt: worker.started_at.toISOString(),
    heartbeatAt: worker.heartbeat_at.toISOString(),
    memoryBytes: worker.memory_bytes,
    engineVersion: worker.engine_version,
    trainerBytes: worker.trainer_bytes,
    datasets:
      worker.datasets?.map(({ digest, images }) => ({
        name: names.get(digest) ?? datasetOfDigest(digest),
        images,
      })) ?? null,
    setAside: setAsideOf(worker),
    refusals: refusals
      .filter((refusal) => refusal.worker_id === worker.id)
      .map(({ kind, method, dataset, lack, reason, at }) => ({
        ...{ kind, method, dataset, lack, reason },
        at: at.toISOString(),
      })),
    running: running
      .filter((stage) => stage.worker_id === worker.id)
      .map((stage) => ({
        stage: stage.id,
        kind: stage.kind,
        position: stage.epoch === null ? null : { epoch: stage.epoch, step: stage.step ?? 0 },
        epochs: stage.epochs,
        imagesPerSecond: stage.images_per_second,
      })),
  }));
};

/** Live workers first, then workers that are gone; each with the stages that it runs, and those that it handed back. */
export const listWorkers = async (db: Db): Promise<readonly Worker[]> => {
  const tx = reading(db);
  const workers = await tx.query(
    workerColumns,
    `SELECT ${listOf(workerColumns, 'w')} FROM workers w ORDER BY w.status = 'gone', w.started_at DESC, w.id LIMIT 1000`,
  );
  return describe(tx, workers);
};

/** Errors: NOT_FOUND. */
export const getWorker = async (db: Db, id: string): Promise<Worker> => {
  const tx = reading(db);
  const workers = await tx.query(
    workerColumns,
    `SELECT ${listOf(workerColumns, 'w')} FROM workers w WHERE w.id = $1`,
    [id],
  );
  const [worker] = await describe(tx, workers);
  if (!worker) throw missingWorker(id);
  return worker;
};
