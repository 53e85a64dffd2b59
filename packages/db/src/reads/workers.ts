import type { StageKind, Worker } from '@funnel/contracts';
import { float8, int4, int8, listOf, orNull, text, timestamptz } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

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

/** Live workers first, then workers that are gone; each with the stages that it runs. */
export const listWorkers = async (db: Db): Promise<readonly Worker[]> => {
  const tx = reading(db);
  const workers = await tx.query(
    workerColumns,
    `SELECT ${listOf(workerColumns, 'w')} FROM workers w ORDER BY w.status = 'gone', w.started_at DESC, w.id LIMIT 1000`,
  );
  const running = await tx.query(
    runningColumns,
    `SELECT ${listOf(runningColumns, 's')} FROM stages s WHERE s.status = 'running' ORDER BY s.started_at, s.id`,
  );
  return workers.map(({ version, started_at, heartbeat_at, memory_bytes, ...worker }) => ({
    ...worker,
    ...versionsOf(version),
    startedAt: started_at.toISOString(),
    heartbeatAt: heartbeat_at.toISOString(),
    memoryBytes: memory_bytes,
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
