/** BullMQ over Redis through ioredis: for more than one machine. Redis must run with `maxmemory-policy noeviction`. */
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { overBullmq, type Ring } from './bullmq-queue.ts';
import { redisFault } from './connection-fault.ts';
import { redisAddress } from './redis-address.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

/** Tries again for ever, up to every 2 s. */
const retryStrategy = (times: number): number => Math.min(100 * 2 ** Math.min(times, 5), 2_000);

/** Whoever rings is told at once that Redis is away: the stage is safe in the database. */
const producer: RedisOptions = {
  retryStrategy,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 5_000,
};
/** BullMQ's blocking commands wait as long as it takes. */
const consumer: RedisOptions = { retryStrategy, maxRetriesPerRequest: null };

/** Settles with the first news of the connection, good or bad. */
const readyOrAway = (redis: Redis): Promise<unknown> =>
  redis.status === 'ready'
    ? Promise.resolve()
    : new Promise((resolve) => {
        for (const event of ['ready', 'error', 'close', 'end']) redis.once(event, resolve);
      });

export const openRedisQueue = async ({
  url: address,
  name = 'funnel-stages',
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  const { url, options } = redisAddress(address);
  /** Why the connection that rings is away; the driver only says that it is. */
  let fault: Error | null = null;
  const connect = (role: RedisOptions): Redis =>
    new Redis(url, { ...role, ...options }).on('error', (error) => onError(redisFault(error)));

  const connection = connect(producer)
    .on('error', (error) => {
      fault = redisFault(error);
    })
    .on('ready', () => {
      fault = null;
    });
  await readyOrAway(connection); // away: then rings fail until it is back
  const told = (error: Error): void => onError(redisFault(error));
  const rings = new Queue<Ring>(name, { connection, skipWaitingForReady: true, skipMetasUpdate: true }).on(
    'error',
    told,
  );
  return overBullmq({
    rings,
    hear: (onRing, concurrency) => {
      const own = connect(consumer);
      const ear = new Worker<Ring>(name, (job) => onRing(job.data), { connection: own, concurrency }).on(
        'error',
        told,
      );
      return { ear, disconnect: async () => own.disconnect() };
    },
    disconnect: async () => connection.disconnect(),
    explain: (error) => fault ?? (error instanceof Error ? redisFault(error) : error),
  });
};
