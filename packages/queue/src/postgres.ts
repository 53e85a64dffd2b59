/** BullMQ over PostgreSQL (`SKIP LOCKED`, `LISTEN`/`NOTIFY`): for one machine, with nothing else to install. */
import { Socket } from 'node:net';
import { createPostgresBackend, withBackend } from 'bullmq';
import pg from 'pg';
import {
  closeOnError,
  type Notification,
  openBullmqQueue,
  partOf,
  startWorker,
  workerOptions,
} from './bullmq-queue.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

const { Queue, Worker } = withBackend(createPostgresBackend);

/**
 * BullMQ handles only the errors of idle connections. Without this handler, a connection that breaks while BullMQ migrates would end the
 * process.
 */
class Client extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => {}); // the current query also rejects with this error
  }
}

export const openPostgresQueue = async ({
  url,
  name = 'funnel-stages',
  schema = 'funnel_queue',
  explain,
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  /** The connections of one part; `cut` destroys their sockets. */
  const connections = (application_name: string, max: number) => {
    const sockets = new Set<Socket>();
    const stream = (): Socket => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    };
    return {
      connection: {
        connectionString: url,
        schema,
        migrate: true,
        application_name,
        max,
        connectionTimeoutMillis: 5_000,
        query_timeout: 30_000,
        keepAlive: true,
        Client,
        stream,
      },
      cut: () => {
        for (const socket of sockets) socket.destroy();
      },
    };
  };
  return openBullmqQueue(
    {
      openQueue: (fail) => {
        const { connection, cut } = connections('funnel queue sender', 2);
        const queue = new Queue<Notification>(name, { connection }).on('error', fail);
        return partOf(queue, queue.waitUntilReady(), cut);
      },
      openListener: (onNotification, concurrency) => (fail) => {
        const { connection, cut } = connections('funnel queue listener', 3);
        const worker = new Worker<Notification>(name, (job) => onNotification(job.data), {
          ...workerOptions,
          connection,
          concurrency,
        });
        const onFault = closeOnError(worker, fail);
        worker.on('error', onFault);
        return partOf(worker, startWorker(worker, onFault), cut);
      },
      // The driver attaches the whole connection to the error of an idle one, which is too much for a log.
      describe: explain ?? (({ message }) => new Error(`PostgreSQL: ${message}`)),
      ...(explain && { explain }),
    },
    onError,
  );
};
