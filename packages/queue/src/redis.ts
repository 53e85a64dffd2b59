/** BullMQ over Redis through ioredis: for more than one machine. Redis must run with `maxmemory-policy noeviction`. */
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { failListener, type Notification, overBullmq, startListener, workerOptions } from './bullmq-queue.ts';
import { redisFault } from './connection-fault.ts';
import { redisAddress } from './redis-address.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

/** The driver does not reconnect: see keep-open.ts. All times in milliseconds. */
const common: RedisOptions = { retryStrategy: () => null, disconnectTimeout: 200, keepAlive: 10_000 };
/** Whoever rings is told at once that Redis is away: the stage is safe in the database. */
const producer: RedisOptions = {
  ...common,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  socketTimeout: 10_000,
};
/** BullMQ's blocking commands last 5 s. */
const consumer: RedisOptions = { ...common, maxRetriesPerRequest: null, socketTimeout: 15_000 };

export const openRedisQueue = async ({
  url: address,
  name = 'funnel-stages',
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  const { url, options } = redisAddress(address);

  /** Connections of one part (BullMQ duplicates the first one for its blocking commands), and what cuts all of them. */
  const connections = (role: RedisOptions, onFault: (error: Error) => void) => {
    const clients: Redis[] = [];
    const connect = (override: Partial<RedisOptions> = {}): Redis => {
      const client = new Redis(url, { ...role, ...options, ...override })
        .on('error', onFault)
        .on('end', () => onFault(new Error('Connection is closed')));
      client.duplicate = connect;
      clients.push(client);
      return client;
    };
    return {
      connection: connect(),
      cut: () => {
        for (const client of clients) client.disconnect();
      },
    };
  };

  return overBullmq(
    {
      openNotifications: (fail) => {
        const { connection, cut } = connections(producer, fail);
        const notifications = new Queue<Notification>(name, { connection, skipMetasUpdate: true }).on(
          'error',
          fail,
        );
        return {
          value: notifications,
          ready: notifications.waitUntilReady(),
          close: () => notifications.close(),
          cut,
        };
      },
      openListener: (onNotification, concurrency) => (fail) => {
        let onFault = fail;
        const { connection, cut } = connections(consumer, (error) => onFault(error));
        const listener = new Worker<Notification>(name, (job) => onNotification(job.data), {
          ...workerOptions,
          connection,
          concurrency,
        });
        onFault = failListener(listener, fail);
        listener.on('error', onFault);
        return {
          value: listener,
          ready: startListener(listener, onFault),
          close: () => listener.close(),
          cut,
        };
      },
      describe: redisFault,
      explain: redisFault,
    },
    onError,
  );
};
