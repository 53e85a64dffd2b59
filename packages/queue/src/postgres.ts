/** BullMQ over PostgreSQL (`SKIP LOCKED`, `LISTEN`/`NOTIFY`): for one machine, with nothing else to install. */
import { Socket } from 'node:net';
import { createPostgresBackend, withBackend } from 'bullmq';
import pg from 'pg';
import { failListener, type Notification, overBullmq, startListener, workerOptions } from './bullmq-queue.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

const { Queue, Worker } = withBackend(createPostgresBackend);

/** BullMQ listens to idle connections only; one that breaks while it is migrating would end the process. */
class Client extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => {}); // the query under way is rejected too
  }
}

export const openPostgresQueue = async ({
  url,
  name = 'funnel-stages',
  schema = 'funnel_queue',
  explain,
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  /** Connections of one part, and what cuts all of them. */
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
  return overBullmq(
    {
      openNotifications: (fail) => {
        const { connection, cut } = connections('funnel rings', 2);
        const notifications = new Queue<Notification>(name, { connection }).on('error', fail);
        return {
          value: notifications,
          ready: notifications.waitUntilReady(),
          close: () => notifications.close(),
          cut,
        };
      },
      openListener: (onNotification, concurrency) => (fail) => {
        const { connection, cut } = connections('funnel listens', 3);
        const listener = new Worker<Notification>(name, (job) => onNotification(job.data), {
          ...workerOptions,
          connection,
          concurrency,
        });
        const onFault = failListener(listener, fail);
        listener.on('error', onFault);
        return {
          value: listener,
          ready: startListener(listener, onFault),
          close: () => listener.close(),
          cut,
        };
      },
      // The driver hangs the whole connection on the error of an idle one: too much for a log.
      describe: explain ?? (({ message }) => new Error(`PostgreSQL: ${message}`)),
      ...(explain && { explain }),
    },
    onError,
  );
};
