/**
 * The queue tells workers that stages are ready, but only the database knows which stages are ready. A notification contains the id of a
 * stage, and its receiver claims a stage from the database. So a lost, repeated or late notification costs time, but no work. The outbox
 * and the reconciler of `@funnel/db` send it again.
 */
import { openPostgresQueue } from './postgres.ts';
import { openRedisQueue } from './redis.ts';

export type StageQueue = {
  /**
   * Sends one notification per stage. Sends no second notification for a stage whose first one has not been received yet. Rejects at once
   * while the queue is away, and after 5 s if it does not answer.
   */
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /**
   * Calls `onNotification` for every notification that this listener receives, for at most `concurrency` of them at a time. One listener of
   * one process receives each notification. While the queue is away, `listen` may be called too: the listener starts when the queue is
   * back.
   */
  readonly listen: (
    onNotification: (stageId: string) => Promise<void>,
    options: { readonly concurrency: number },
  ) => Promise<Listener>;
  /** Numbers of notifications. `waiting`: not received yet. `active`: received, but their `onNotification` has not resolved yet. */
  readonly counts: () => Promise<{ readonly waiting: number; readonly active: number }>;
  /** Resolves when the queue answers, rejects when it is away. */
  readonly ping: () => Promise<void>;
  /** Sentences about a server that answers, but is set up so that notifications get lost. Rejects when the queue is away. */
  readonly findings: () => Promise<readonly string[]>;
  /** Deletes all notifications that have not been received. */
  readonly clear: () => Promise<void>;
  /**
   * Closes connections and listeners within 3 s, even if the server does not answer. After that the queue does not keep the process alive.
   */
  readonly close: () => Promise<void>;
};

export type Listener = { readonly close: () => Promise<void> };

export type StageQueueOptions = {
  /** `redis://`, `rediss://`, `postgres://` or `postgresql://`, with user and password if necessary. */
  readonly url: string;
  /** Queues of different names share no notifications. (Default: funnel-stages) */
  readonly name?: string;
  /** PostgreSQL only: the schema in which BullMQ keeps its tables. (Default: funnel_queue) */
  readonly schema?: string;
  /**
   * PostgreSQL only: turns an error of the driver into the error to report and to throw. (Default: reports its message, and throws it
   * unchanged)
   */
  readonly explain?: (error: Error) => Error;
  /**
   * Called when the queue goes away, with the reason, and once a minute while it stays away. Meanwhile the queue tries to reconnect, with
   * pauses of up to 5 s. (Default: does nothing)
   */
  readonly onError?: (error: Error) => void;
};

const openers = {
  'redis:': openRedisQueue,
  'rediss:': openRedisQueue,
  'postgres:': openPostgresQueue,
  'postgresql:': openPostgresQueue,
};

/** Opens the queue at an address. Waits at most 5 s for the server. Throws a TypeError if the address is not the address of a queue. */
export const createStageQueue = async (options: StageQueueOptions): Promise<StageQueue> => {
  // No `new URL` of a wrong address: its error would contain the address, with the password.
  const protocol = URL.canParse(options.url) ? new URL(options.url).protocol : 'no address';
  if (!(protocol in openers))
    throw new TypeError(
      `Expected a queue address of ${Object.keys(openers).join(', ')}, but got ${protocol}`,
    );
  return openers[protocol as keyof typeof openers](options); // checked above
};
