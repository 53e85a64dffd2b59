/** Implements `StageQueue` with BullMQ's queue and worker, for both backends. */
import { createRepeatedFaults, within } from '@funnel/contracts';
import { type Kept, keepOpen, type OpenPart, type Part } from './keep-open.ts';
import type { Listener, StageQueue } from './stage-queue.ts';

export type Notification = { readonly stageId: string };
export type OnNotification = (notification: Notification) => Promise<void>;

/** The part of BullMQ's `Queue` that this package uses. */
export type BullmqQueue = {
  addBulk: (
    jobs: { name: string; data: Notification; opts: typeof jobOptions & { jobId: string } }[],
  ) => Promise<unknown>;
  getJobCounts: (...types: ('waiting' | 'active' | 'prioritized')[]) => Promise<Record<string, number>>;
  drain: (delayed?: boolean) => Promise<void>;
};

/** The part of BullMQ's `Worker` that this package uses. Workers get `workerOptions`. */
export type BullmqWorker = {
  waitUntilReady: () => Promise<unknown>;
  run: () => Promise<void>;
  close: () => Promise<void>;
};

/** The part of a backend that BullMQ lacks: connections, and errors in words. */
export type Backend = {
  readonly openQueue: OpenPart<BullmqQueue>;
  readonly openListener: (onNotification: OnNotification, concurrency: number) => OpenPart<unknown>;
  /** Looks at the server for `findings`. (Default: finds nothing) */
  readonly look?: () => Promise<readonly string[]>;
  /** Turns an error of the driver into the error to report, which must contain no secret. */
  readonly describe: (error: Error) => Error;
  /** Turns an error of the driver into the error to throw. (Default: throws the driver's error) */
  readonly explain?: (error: Error) => Error;
};

/**
 * `autorun`: the worker does not start before its connections are open. `runRetryDelay`, in milliseconds: the pause of a worker after a
 * refused connection without an error event. The end of the worker may take this much longer.
 */
export const workerOptions = { autorun: false, runRetryDelay: 1_000 } as const;

/** Closes a worker at its first error. A worker that is not closing would use its broken connection again without a pause. */
export const closeOnError =
  (worker: BullmqWorker, fail: (error: Error) => void) =>
  (error: Error): void => {
    worker.close().catch(() => {});
    fail(error);
  };

/** A queue or a worker of BullMQ as a part for `keepOpen`. `ready` resolves when the part can be used; `cut` destroys its sockets. */
export const partOf = <T extends { close: () => Promise<unknown> }>(
  value: T,
  ready: Promise<unknown>,
  cut: () => void,
): Part<T> => ({ value, ready, close: () => value.close(), cut });

/** Resolves when the worker has begun to take jobs. Its later failure goes to `onError`. */
export const startWorker = async (worker: BullmqWorker, onError: (error: Error) => void): Promise<void> => {
  await worker.waitUntilReady();
  worker.run().catch(onError);
};

/** BullMQ removes a job when a worker has processed it, so that the stage can be announced again and the queue does not grow. */
const jobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/** BullMQ ignores a second job with the same id as a stored one. It refuses ids with a colon and ids of only digits. */
const jobId = (stageId: string): string => `stage-${stageId}`;

/** Milliseconds. A server that takes longer for an answer counts as away. This includes the first answer. */
const answerTimeout = 5_000;
/** Opens the queue; returns after its first attempt to connect, or after 5 s. */
export const openBullmqQueue = async (
  { openQueue, openListener, look = async () => [], describe, explain = (error) => error }: Backend,
  onError: (error: Error) => void,
): Promise<StageQueue> => {
  const report = createRepeatedFaults();
  const onFault = (error: Error): void => {
    const words = report(error.message, Date.now());
    if (words !== null) onError(words === error.message ? error : new Error(words));
  };
  const options = { describe, onFault };
  const kept = keepOpen(openQueue, options);
  await within(answerTimeout, kept.tried);
  const listeners = new Set<Kept<unknown>>();
  let closing: Promise<unknown> | undefined;

  /** Asks the open queue. Discards a queue that does not answer in time. */
  const ask = async <T>(question: (queue: BullmqQueue) => Promise<T>): Promise<T> => {
    const queue = kept.get();
    try {
      const answer = question(queue);
      if (await within(answerTimeout, answer)) return await answer;
      const timeout = new Error(
        `Expected the queue to answer within ${answerTimeout / 1000} s, but it did not`,
      );
      kept.fail(timeout);
      throw timeout;
    } catch (error) {
      throw error instanceof Error ? explain(error) : error;
    }
  };

  const listen: StageQueue['listen'] = async (onNotification, { concurrency }) => {
    const listener = keepOpen(
      openListener(({ stageId }) => onNotification(stageId), concurrency),
      options,
    );
    listeners.add(listener);
    return {
      close: async () => {
        listeners.delete(listener);
        await listener.close();
      },
    } satisfies Listener;
  };

  const counts: StageQueue['counts'] = async () => {
    const {
      waiting = 0,
      prioritized = 0,
      active = 0,
    } = await ask((queue) => queue.getJobCounts('waiting', 'prioritized', 'active'));
    return { waiting: waiting + prioritized, active };
  };

  return {
    notify: async (stageIds) => {
      if (closing) throw new Error('Expected an open queue to notify, but it was closed');
      if (stageIds.length === 0) return;
      const jobs = stageIds.map((stageId) => ({
        name: 'stage-ready',
        data: { stageId },
        opts: { ...jobOptions, jobId: jobId(stageId) },
      }));
      await ask((queue) => queue.addBulk(jobs));
    },
    listen,
    counts,
    ping: async () => void (await counts()),
    findings: () => ask(look),
    clear: () => ask((queue) => queue.drain(true)),
    close: async () => {
      closing ??= Promise.all([kept, ...listeners].map((part) => part.close()));
      await closing;
    },
  };
};
