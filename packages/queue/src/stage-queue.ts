import { openPostgresQueue } from './postgres.ts';
import { openRedisQueue } from './redis.ts';

/**
 * The doorbell. A ring means “there may be work”: it can be lost, doubled or late, and nothing but time is lost with it, because the
 * database knows what is ready and a reconciler rings again.
 */
export type StageQueue = {
  /** One ring per stage; a stage whose ring has not been heard yet is not rung twice. Fails at once when the queue is away, after 5 s when it does not answer. */
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /** Calls `onRing` for every ring that this listener hears, at most `concurrency` at a time; each ring is heard by one listener. */
  readonly listen: (
    onNotification: (stageId: string) => Promise<void>,
    options: { readonly concurrency: number },
  ) => Promise<Listener>;
  /** Rings not heard yet, and those being heard. */
  readonly counts: () => Promise<{ readonly waiting: number; readonly active: number }>;
  /** Resolves when the queue answers, rejects when it is away. */
  readonly ping: () => Promise<void>;
  /** Forgets every ring. */
  readonly clear: () => Promise<void>;
  /** Ends connections and listeners within 3 s, whatever the server does; nothing keeps the process alive after it. */
  readonly close: () => Promise<void>;
};

export type Listener = { readonly close: () => Promise<void> };

export type StageQueueOptions = {
  /** `redis://`, `rediss://`, `postgres://` or `postgresql://`, with user and password where needed. */
  readonly url: string;
  /** Queues of different names do not hear each other. (Default: funnel-stages) */
  readonly name?: string;
  /** PostgreSQL only: the schema that BullMQ keeps its tables in, beside the application's. (Default: funnel_queue) */
  readonly schema?: string;
  /** PostgreSQL only: what is told and thrown instead of an error of its driver. (Default: told by its message, thrown as it came) */
  readonly explain?: (error: Error) => Error;
  /**
   * Told of what keeps the queue away: once, and once a minute while it stays. The queue goes on trying to reconnect, with pauses of up to
   * 5 s. (Default: nobody)
   */
  readonly onError?: (error: Error) => void;
};

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
