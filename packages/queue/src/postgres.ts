/** BullMQ over PostgreSQL (`SKIP LOCKED`, `LISTEN`/`NOTIFY`): for one machine, with nothing else to install. */
import { createPostgresBackend, withBackend } from 'bullmq';
import { overBullmq, type Ring } from './bullmq-queue.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

const { Queue, Worker } = withBackend(createPostgresBackend);

export const openPostgresQueue = async ({
  url,
  name = 'funnel-stages',
  schema = 'funnel_queue',
  explain,
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  const connection = (application_name: string, max: number) => ({
    connectionString: url,
    schema,
    migrate: true,
    application_name,
    max,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    keepAlive: true,
  });
  // The driver hangs the whole connection on the error of an idle one: too much for a log.
  const describe = explain ?? (({ message }: Error) => new Error(`PostgreSQL: ${message}`));
  const told = (error: Error): void => onError(describe(error));
  const rings = new Queue<Ring>(name, { connection: connection('funnel rings', 2) }).on('error', told);
  return overBullmq({
    rings,
    hear: (onRing, concurrency) => ({
      ear: new Worker<Ring>(name, (job) => onRing(job.data), {
        connection: connection('funnel listens', 3),
        concurrency,
      }).on('error', told),
      disconnect: async () => {},
    }),
    disconnect: async () => {},
    ...(explain && { explain: (error) => (error instanceof Error ? explain(error) : error) }),
  });
};
