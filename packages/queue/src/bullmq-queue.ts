/** The port over BullMQ's queue and worker, whichever backend they stand on. */
import { type Kept, keepOpen, type OpenPart, within } from './keep-open.ts';
import type { Listener, StageQueue } from './stage-queue.ts';

/** What is used of BullMQ's `Queue`. */
export type Rings = {
  addBulk: (
    jobs: { name: string; data: Ring; opts: typeof jobOptions & { jobId: string } }[],
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

export type Ring = { readonly stageId: string };
export type OnRing = (ring: Ring) => Promise<void>;

export type Backend = {
  readonly openRings: OpenPart<Rings>;
  readonly openEar: (onRing: OnRing, concurrency: number) => OpenPart<unknown>;
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
export const failEar =
  (ear: Ear, fail: (error: Error) => void) =>
  (error: Error): void => {
    ear.close().catch(() => {});
    fail(error);
  };

/** Resolves when the worker has begun to take jobs. What ends it after that goes to `onError`. */
export const startEar = async (ear: Ear, onError: (error: Error) => void): Promise<void> => {
  await ear.waitUntilReady();
  ear.run().catch(onError);
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
  { openRings, openEar, describe, explain = (error) => error }: Backend,
  onError: (error: Error) => void,
): Promise<StageQueue> => {
  const options = { describe, ...createReports(onError) };
  const kept = keepOpen(openRings, options);
  await within(answerTime, kept.tried);
  const listeners = new Set<Kept<unknown>>();
  let closing: Promise<unknown> | undefined;

  const onRings = async <T>(work: (rings: Rings) => Promise<T>): Promise<T> => {
    const rings = kept.get();
    try {
      const answer = work(rings);
      if (await within(answerTime, answer)) return await answer;
      const silent = new Error(`Expected the queue to answer within ${answerTime / 1000} s, but it did not`);
      kept.fail(silent);
      throw silent;
    } catch (error) {
      throw error instanceof Error ? explain(error) : error;
    }
  };

  const listen: StageQueue['listen'] = async (onRing, { concurrency }) => {
    // Not waited for: a listener may be opened while the queue is away, and hears once that is back.
    const ear = keepOpen(
      openEar(({ stageId }) => onRing(stageId), concurrency),
      options,
    );
    listeners.add(ear);
    const listener: Listener = {
      close: async () => {
        listeners.delete(ear);
        await ear.close();
      },
    };
    return listener;
  };

  const counts: StageQueue['counts'] = async () => {
    const {
      waiting = 0,
      prioritized = 0,
      active = 0,
    } = await onRings((rings) => rings.getJobCounts('waiting', 'prioritized', 'active'));
    return { waiting: waiting + prioritized, active };
  };

  return {
    ring: async (stageIds) => {
      if (closing) throw new Error('Expected an open queue to ring, but it was closed');
      if (stageIds.length === 0) return;
      const jobs = stageIds.map((stageId) => ({
        name: 'ring',
        data: { stageId },
        opts: { ...jobOptions, jobId: jobId(stageId) },
      }));
      await onRings((rings) => rings.addBulk(jobs));
    },
    listen,
    counts,
    ping: async () => void (await counts()),
    clear: () => onRings((rings) => rings.drain(true)),
    close: async () => {
      closing ??= Promise.all([kept, ...listeners].map((part) => part.close()));
      await closing;
    },
  };
};
