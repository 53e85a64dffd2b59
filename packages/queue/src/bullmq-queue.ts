/** The port over BullMQ's queue and worker, whichever backend they stand on. */
import { type Kept, keepOpen, type OpenPart, within } from './keep-open.ts';
import type { Listener, StageQueue } from './stage-queue.ts';

/** What is used of BullMQ's `Queue`. */
export type Notifications = {
  addBulk: (
    jobs: { name: string; data: Notification; opts: typeof jobOptions & { jobId: string } }[],
  ) => Promise<unknown>;
  getJobCounts: (...types: ('waiting' | 'active' | 'prioritized')[]) => Promise<Record<string, number>>;
  drain: (delayed?: boolean) => Promise<void>;
};

/** What is used of BullMQ's `Worker`, made with `workerOptions`. */
export type Ear = {
  waitUntilReady: () => Promise<unknown>;
  run: () => Promise<void>;
  close: () => Promise<void>;
};

export type Notification = { readonly stageId: string };
export type OnNotification = (notify: Notification) => Promise<void>;

export type Backend = {
  readonly openNotifications: OpenPart<Notifications>;
  readonly openListener: (onNotification: OnNotification, concurrency: number) => OpenPart<unknown>;
  /** What is reported of a driver's error; holds no secret. */
  readonly describe: (error: Error) => Error;
  /** What is thrown instead of a driver's error. (Default: that error) */
  readonly explain?: (error: Error) => Error;
};

/**
 * It runs only when its connections are there. Milliseconds of `runRetryDelay`: how often it asks again when it is refused without a word
 * of it, and how long that can outlive it.
 */
export const workerOptions = { autorun: false, runRetryDelay: 1_000 } as const;

/** Closes at once what breaks: a worker that is not closing asks its broken connection again without a pause. */
export const failListener =
  (listener: Ear, fail: (error: Error) => void) =>
  (error: Error): void => {
    listener.close().catch(() => {});
    fail(error);
  };

/** Resolves when the worker has begun to take jobs. What ends it after that goes to `onError`. */
export const startListener = async (listener: Ear, onError: (error: Error) => void): Promise<void> => {
  await listener.waitUntilReady();
  listener.run().catch(onError);
};

/** Gone as soon as it was heard, so that the same stage can ring again and nothing grows. */
const jobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/** BullMQ refuses ids with a colon and ids of digits alone. */
const jobId = (stageId: string): string => `stage-${stageId}`;

/** Milliseconds for an answer, the first one included; a server that takes longer counts as away. */
const answerTime = 5_000;
/** Milliseconds between two reports of a fault that stays. */
const reminder = 60_000;

/** Reports a fault when it is new, and once a minute while it stays. */
const createReports = (onError: (error: Error) => void) => {
  const known = new Map<string, { readonly since: string; reportedAt: number; times: number }>();
  return {
    onFault: (error: Error): void => {
      const now = performance.now();
      const fault = known.get(error.message);
      if (!fault) {
        known.set(error.message, { since: new Date().toISOString(), reportedAt: now, times: 1 });
        onError(error);
        return;
      }
      fault.times++;
      if (now - fault.reportedAt < reminder) return;
      fault.reportedAt = now;
      onError(new Error(`${error.message} (${fault.times} times since ${fault.since})`));
    },
    onOpen: (): void => known.clear(),
  };
};

export const overBullmq = async (
  { openNotifications, openListener, describe, explain = (error) => error }: Backend,
  onError: (error: Error) => void,
): Promise<StageQueue> => {
  const options = { describe, ...createReports(onError) };
  const kept = keepOpen(openNotifications, options);
  await within(answerTime, kept.tried);
  const listeners = new Set<Kept<unknown>>();
  let closing: Promise<unknown> | undefined;

  const onNotifications = async <T>(work: (notifications: Notifications) => Promise<T>): Promise<T> => {
    const notifications = kept.get();
    try {
      const answer = work(notifications);
      if (await within(answerTime, answer)) return await answer;
      const silent = new Error(`Expected the queue to answer within ${answerTime / 1000} s, but it did not`);
      kept.fail(silent);
      throw silent;
    } catch (error) {
      throw error instanceof Error ? explain(error) : error;
    }
  };

  const listen: StageQueue['listen'] = async (onNotification, { concurrency }) => {
    // Not waited for: a listener may be opened while the queue is away, and hears once that is back.
    const kept = keepOpen(
      openListener(({ stageId }) => onNotification(stageId), concurrency),
      options,
    );
    listeners.add(kept);
    const listener: Listener = {
      close: async () => {
        listeners.delete(kept);
        await kept.close();
      },
    };
    return listener;
  };

  const counts: StageQueue['counts'] = async () => {
    const {
      waiting = 0,
      prioritized = 0,
      active = 0,
    } = await onNotifications((notifications) =>
      notifications.getJobCounts('waiting', 'prioritized', 'active'),
    );
    return { waiting: waiting + prioritized, active };
  };

  return {
    notify: async (stageIds) => {
      if (closing) throw new Error('Expected an open queue to ring, but it was closed');
      if (stageIds.length === 0) return;
      const jobs = stageIds.map((stageId) => ({
        name: 'ring',
        data: { stageId },
        opts: { ...jobOptions, jobId: jobId(stageId) },
      }));
      await onNotifications((notifications) => notifications.addBulk(jobs));
    },
    listen,
    counts,
    ping: async () => void (await counts()),
    clear: () => onNotifications((notifications) => notifications.drain(true)),
    close: async () => {
      closing ??= Promise.all([kept, ...listeners].map((part) => part.close()));
      await closing;
    },
  };
};
