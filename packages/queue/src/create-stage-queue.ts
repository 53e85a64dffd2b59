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
  // What URL throws holds its input, and so the password.
  const protocol = URL.canParse(options.url) ? new URL(options.url).protocol : 'what is no address';
  if (!(protocol in openers))
    throw new TypeError(
      `Expected a queue address of ${Object.keys(openers).join(', ')}, but got ${protocol}`,
    );
  return openers[protocol as keyof typeof openers](options); // checked above
};
