/** BullMQ over Redis through ioredis: for more than one machine. Redis must run with `maxmemory-policy noeviction`. */
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { overBullmq, type Ring } from './bullmq-queue.ts';
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

const connect = (url: string, options: RedisOptions, onError: (error: Error) => void): Redis =>
  new Redis(url, options).on('error', onError);

const ready = (redis: Redis): Promise<unknown> =>
  redis.status === 'ready'
    ? Promise.resolve()
    : new Promise((resolve) => redis.once('ready', resolve).once('error', resolve).once('end', resolve));

export const openRedisQueue = async ({
  url,
  name = 'funnel-stages',
  onError = () => {},
}: StageQueueOptions): Promise<StageQueue> => {
  const connection = connect(url, producer, onError);
  await ready(connection); // or away: then rings fail until it is back
  const rings = new Queue<Ring>(name, { connection, skipWaitingForReady: true, skipMetasUpdate: true }).on(
    'error',
    onError,
  );
  return overBullmq({
    rings,
    hear: (onRing, concurrency) => {
      const own = connect(url, consumer, onError);
      const ear = new Worker<Ring>(name, (job) => onRing(job.data), { connection: own, concurrency }).on(
        'error',
        onError,
      );
      return { ear, disconnect: async () => own.disconnect() };
    },
    disconnect: async () => connection.disconnect(),
  });
};
