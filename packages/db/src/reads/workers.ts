import type { StageKind, Worker } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import type { WorkerRegistration } from '../types.ts';

type Row = WorkerRegistration & {
  readonly status: Worker['status'];
  readonly started_at: Date;
  readonly heartbeat_at: Date;
  readonly memory_bytes: number | null;
};

type Running = {
  readonly worker_id: string;
  readonly id: string;
  readonly kind: StageKind;
  readonly epoch: number | null;
  readonly step: number | null;
  readonly epochs: number;
  readonly images_per_second: number | null;
};

/** Workers of 0.1.0 kept another version here, and no schema. */
const versionsOf = (kept: string): Pick<Worker, 'version' | 'schema'> => {
  const [version, schema = null] = kept.split('+') as [string, string?]; // of a text there is at least one part
  return { version, schema };
};

/** Those that are there first, then those that are gone; each with what it runs. */
export const listWorkers = async (db: Db): Promise<readonly Worker[]> => {
  const tx = reading(db);
  const workers = await tx.query<Row>(
    `SELECT * FROM workers ORDER BY status = 'gone', started_at DESC, id LIMIT 1000`,
  );
  const running = await tx.query<Running>(
    `SELECT worker_id, id, kind, epoch, step, epochs, images_per_second FROM stages WHERE status = 'running' ORDER BY started_at, id`,
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
