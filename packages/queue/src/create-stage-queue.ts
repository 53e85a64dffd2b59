import { openPostgresQueue } from './postgres.ts';
import { openRedisQueue } from './redis.ts';
import type { StageQueue, StageQueueOptions } from './stage-queue.ts';

const openers = {
  'redis:': openRedisQueue,
  'rediss:': openRedisQueue,
  'postgres:': openPostgresQueue,
  'postgresql:': openPostgresQueue,
};

/** The doorbell on the backend that the address names. Throws a TypeError for any other kind of address. */
export const createStageQueue = async (options: StageQueueOptions): Promise<StageQueue> => {
  const { protocol } = new URL(options.url);
  if (!(protocol in openers))
    throw new TypeError(
      `Expected a queue address of ${Object.keys(openers).join(', ')}, but got ${protocol}`,
    );
  return openers[protocol as keyof typeof openers](options); // checked above
};
