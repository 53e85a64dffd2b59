/** The port over BullMQ's queue and worker, whichever backend they stand on. */
import type { Listener, StageQueue } from './stage-queue.ts';

/** What is used of BullMQ's `Queue`. */
export type Rings = {
  addBulk: (
    jobs: { name: string; data: Ring; opts: typeof jobOptions & { jobId: string } }[],
  ) => Promise<unknown>;
  getJobCounts: (...types: ('waiting' | 'active' | 'prioritized')[]) => Promise<Record<string, number>>;
  drain: (delayed?: boolean) => Promise<void>;
  close: () => Promise<void>;
};

/** What is used of BullMQ's `Worker`. */
export type Ear = { waitUntilReady: () => Promise<unknown>; close: (force?: boolean) => Promise<void> };

export type Ring = { readonly stageId: string };

export type Backend = {
  readonly rings: Rings;
  readonly hear: (
    onRing: (ring: Ring) => Promise<void>,
    concurrency: number,
  ) => { readonly ear: Ear; readonly disconnect: () => Promise<void> };
  /** Ends what `rings.close` leaves open. */
  readonly disconnect: () => Promise<void>;
  /** What is thrown instead of an error of the driver. (Default: that error) */
  readonly explain?: (error: unknown) => unknown;
};

/** Gone as soon as it was heard, so that the same stage can ring again and nothing grows. */
const jobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/** BullMQ refuses ids with a colon and ids of digits alone. */
const jobId = (stageId: string): string => `stage-${stageId}`;

const closeMilliseconds = 3_000;

/** `close` of a listener whose backend is away may never resolve: its connections are cut after a while. */
const within = async (work: Promise<unknown>, milliseconds: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
};

export const overBullmq = ({ rings, hear, disconnect, explain = (error) => error }: Backend): StageQueue => {
  const explained = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw explain(error);
    }
  };
  const listeners = new Set<Listener>();
  let closing: Promise<void> | undefined;

  const listen: StageQueue['listen'] = async (onRing, { concurrency }) => {
    const { ear, disconnect: cut } = hear(({ stageId }) => onRing(stageId), concurrency);
    // Not awaited: a listener may be opened while the queue is away, and hears once that is back.
    ear.waitUntilReady().catch(() => {});
    let closed: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      listeners.delete(listener);
      await within(ear.close(), closeMilliseconds);
      await within(cut(), closeMilliseconds);
    };
    const listener: Listener = { close: () => (closed ??= close()) };
    listeners.add(listener);
    return listener;
  };

  const counts: StageQueue['counts'] = async () => {
    const {
      waiting = 0,
      prioritized = 0,
      active = 0,
    } = await explained(rings.getJobCounts('waiting', 'prioritized', 'active'));
    return { waiting: waiting + prioritized, active };
  };

  const closeAll = async (): Promise<void> => {
    await Promise.all([...listeners].map((listener) => listener.close()));
    await within(rings.close(), closeMilliseconds);
    await within(disconnect(), closeMilliseconds);
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
      await explained(rings.addBulk(jobs));
    },
    listen,
    counts,
    ping: async () => void (await counts()),
    clear: () => explained(rings.drain(true)),
    close: () => (closing ??= closeAll()),
  };
};
