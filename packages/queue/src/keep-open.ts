/**
 * Keeps one part of a queue (what sends, or what listens) open for as long as it is wanted. BullMQ does not survive a first connection that
 * fails: it keeps the rejected promise, and its worker awaits that promise again at once, without end. So nothing here depends on how BullMQ or a
 * driver reconnects: a part that broke is discarded, and a new one is opened after a pause that grows.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export type Part<T> = {
  readonly value: T;
  /** Resolves when the part can be used. */
  readonly ready: Promise<unknown>;
  /** Closes the part in order. May wait for a server that does not answer. */
  readonly close: () => Promise<unknown>;
  /** Destroys the sockets of the part: everything that waits for them ends. */
  readonly cut: () => void;
};

/** Opens a part. The part calls `fail` when it breaks; only the first call counts. */
export type OpenPart<T> = (fail: (error: Error) => void) => Part<T>;

export type Kept<T> = {
  /** The open part. Throws the reason while there is none. */
  readonly get: () => T;
  /** Resolves when the first attempt to open a part has succeeded or failed. */
  readonly tried: Promise<void>;
  /** Discards the open part, as if it had called `fail` itself. */
  readonly fail: (error: Error) => void;
  /** Closes the part within 3 s, whatever its server does. */
  readonly close: () => Promise<void>;
};

/** All times in milliseconds. */
const openTimeout = 60_000;
const closeTimeout = 2_000;
/** For a part that broke, or whose sockets were cut. */
const discardTimeout = 500;
const firstPause = 100;
const maxPause = 5_000;
/** The pause starts from the first one again after a part that was open for this long. */
const stableTime = 10_000;

/** Doubles with each failure. Half of it is random, so that many processes do not reconnect at the same moment. */
const pauseAfter = (failures: number): number =>
  Math.min(maxPause, firstPause * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);

/** Waits for `promise`, but no longer than `milliseconds`. Returns false when that time was over first. */
export const within = async (milliseconds: number, promise: Promise<unknown>): Promise<boolean> => {
  const done = new AbortController();
  const late = sleep(milliseconds, false, { signal: done.signal }).catch(() => true);
  return Promise.race([promise.then(() => true), late]).finally(() => done.abort());
};

const discard = async ({ close, cut }: Part<unknown>, milliseconds: number): Promise<void> => {
  const closed = close().catch(() => {});
  await within(milliseconds, closed);
  cut();
  // `close` ends when the sockets are gone, and clears its timers.
  await within(discardTimeout, closed);
  cut(); // sockets that were opened in between
};

export type KeepOptions = {
  /** Makes the error for logs and callers from an error of the driver. */
  readonly describe: (error: Error) => Error;
  /** Called for every failure. */
  readonly onFault: (error: Error) => void;
  /** Called for every part that opens. */
  readonly onOpen: () => void;
};

export const keepOpen = <T>(open: OpenPart<T>, { describe, onFault, onOpen }: KeepOptions): Kept<T> => {
  const ended = new AbortController();
  let current: { readonly value: T } | null = null;
  let fault = new Error('Expected the queue to answer, but it has not answered yet');
  let endPart = (): void => {};
  let failPart = (_: Error): void => {};
  let markTried = (): void => {};
  const tried = new Promise<void>((resolve) => {
    markTried = resolve;
  });

  /** Runs one part from its opening to its last socket. Returns how long it was open, in milliseconds. */
  const runPart = async (): Promise<number> => {
    const partEnded = new Promise<void>((resolve, reject) => {
      endPart = resolve;
      failPart = reject;
    });
    partEnded.catch(() => {}); // awaited below, perhaps only after the part was opened
    const part = open(failPart);
    let openedAt: number | null = null;
    try {
      const isOpen = await within(openTimeout, Promise.race([part.ready, partEnded]));
      if (!isOpen)
        throw new Error(`Expected the queue to open within ${openTimeout / 1000} s, but it did not`);
      if (!ended.signal.aborted) {
        openedAt = performance.now();
        current = part;
        onOpen();
        markTried();
      }
      await partEnded;
    } catch (error) {
      fault = describe(error instanceof Error ? error : new Error(String(error)));
      if (!ended.signal.aborted) onFault(fault);
      // Before BullMQ closes: it removes its error listeners first, and an error of a socket after that would end the process.
      part.cut();
    }
    current = null;
    markTried();
    const milliseconds = openedAt === null ? 0 : performance.now() - openedAt;
    await discard(part, ended.signal.aborted && openedAt !== null ? closeTimeout : discardTimeout);
    return milliseconds;
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!ended.signal.aborted) {
      const milliseconds = await runPart();
      failures = milliseconds >= stableTime ? 1 : failures + 1;
      await sleep(pauseAfter(failures), undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const running = run();

  return {
    get: () => {
      if (!current) throw fault;
      return current.value;
    },
    tried,
    fail: (error) => failPart(error),
    close: async () => {
      ended.abort();
      endPart();
      await running;
    },
  };
};
