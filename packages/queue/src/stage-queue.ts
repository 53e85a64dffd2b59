/**
 * The queue tells workers that stages are ready. The database alone knows which stages are ready: a notification carries the id of a stage, and
 * its receiver claims from the database. So a notification may be lost, come twice or come late; this costs time, never work. The outbox and the
 * reconciler of `@funnel/db` send it again.
 */
import { openPostgresQueue } from './postgres.ts';
import { openRedisQueue } from './redis.ts';

export type StageQueue = {
  /**
   * Sends one notification per stage. A stage whose earlier notification nobody has received yet gets no second one. Rejects at once while the
   * queue is away, and after 5 s when it does not answer.
   */
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /**
   * Calls `onNotification` for every notification that this listener receives, for at most `concurrency` of them at a time. Each notification is
   * received by one listener of one process. May be called while the queue is away: the listener then starts when the queue is back.
   */
  readonly listen: (
    onNotification: (stageId: string) => Promise<void>,
    options: { readonly concurrency: number },
  ) => Promise<Listener>;
  /** Numbers of notifications. `waiting`: nobody has received them yet. `active`: their `onNotification` has not resolved yet. */
  readonly counts: () => Promise<{ readonly waiting: number; readonly active: number }>;
  /** Resolves when the queue answers, rejects when it is away. */
  readonly ping: () => Promise<void>;
  /** Deletes every notification that nobody has received. */
  readonly clear: () => Promise<void>;
  /** Closes connections and listeners within 3 s, whatever the server does. Nothing of the queue keeps the process alive after it. */
  readonly close: () => Promise<void>;
};

export type Listener = { readonly close: () => Promise<void> };

export type StageQueueOptions = {
  /** `redis://`, `rediss://`, `postgres://` or `postgresql://`, with user and password where needed. */
  readonly url: string;
  /** Queues of different names share no notifications. (Default: funnel-stages) */
  readonly name?: string;
  /** PostgreSQL only: the schema in which BullMQ keeps its tables. (Default: funnel_queue) */
  readonly schema?: string;
  /** PostgreSQL only: makes the error that is reported and thrown from an error of the driver. (Default: its message is reported, and it is thrown as it is) */
  readonly explain?: (error: Error) => Error;
  /**
   * Called when the queue goes away, with the reason, and once a minute while it stays away. The queue goes on trying to reconnect, with pauses
   * of up to 5 s. (Default: nothing)
   */
  readonly onError?: (error: Error) => void;
};

const openers = {
  'redis:': openRedisQueue,
  'rediss:': openRedisQueue,
  'postgres:': openPostgresQueue,
  'postgresql:': openPostgresQueue,
};

/** Opens the queue at an address. Waits at most 5 s for its server. Throws a TypeError for an address that is none of a queue. */
export const createStageQueue = async (options: StageQueueOptions): Promise<StageQueue> => {
  // The error of `new URL` would contain the address, and so the password.
  const protocol = URL.canParse(options.url) ? new URL(options.url).protocol : 'no address';
  if (!(protocol in openers))
    throw new TypeError(
      `Expected a queue address of ${Object.keys(openers).join(', ')}, but got ${protocol}`,
    );
  return openers[protocol as keyof typeof openers](options); // checked above
};
