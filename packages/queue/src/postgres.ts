/** BullMQ over PostgreSQL (`SKIP LOCKED`, `LISTEN`/`NOTIFY`): for one machine, with nothing else to install. */
import { Socket } from 'node:net';
import { createPostgresBackend, withBackend } from 'bullmq';
import pg from 'pg';
import { failEar, overBullmq, type Ring, startEar, workerOptions } from './bullmq-queue.ts';
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
      openRings: (fail) => {
        const { connection, cut } = connections('funnel rings', 2);
        const rings = new Queue<Ring>(name, { connection }).on('error', fail);
        return { value: rings, ready: rings.waitUntilReady(), close: () => rings.close(), cut };
      },
      openEar: (onRing, concurrency) => (fail) => {
        const { connection, cut } = connections('funnel listens', 3);
        const ear = new Worker<Ring>(name, (job) => onRing(job.data), {
          ...workerOptions,
          connection,
          concurrency,
        });
        const onFault = failEar(ear, fail);
        ear.on('error', onFault);
        return { value: ear, ready: startEar(ear, onFault), close: () => ear.close(), cut };
      },
      // The driver hangs the whole connection on the error of an idle one: too much for a log.
      describe: explain ?? (({ message }) => new Error(`PostgreSQL: ${message}`)),
      ...(explain && { explain }),
    },
    onError,
  );
};
