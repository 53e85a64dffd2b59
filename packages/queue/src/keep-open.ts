/**
 * Keeps one part of a queue (the sender, or a listener) open until it is closed. BullMQ does not survive a failure of its first connection:
 * it keeps the rejected promise, and its worker awaits this promise again and again. So this code does not rely on reconnection by BullMQ
 * or a driver. It discards a part that broke, and opens a new one after a growing pause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '@funnel/contracts';

export type Part<T> = {
  readonly value: T;
  /** Resolves when the part can be used. */
  readonly ready: Promise<unknown>;
  /** Closes the part in order. May wait for a server that does not answer. */
  readonly close: () => Promise<unknown>;
  /** Destroys the sockets of the part, so that no operation waits for them any more. */
  readonly cut: () => void;
};

/** Opens a part. The part calls `fail` when it breaks; only the first call counts. */
export type OpenPart<T> = (fail: (error: Error) => void) => Part<T>;

export type Kept<T> = {
  /** The open part. While no part is open, throws the reason. */
  readonly get: () => T;
  /** Resolves when the first attempt to open a part has succeeded or failed. */
  readonly tried: Promise<void>;
  /** Discards the open part, as if it had called `fail` itself. */
  readonly fail: (error: Error) => void;
  /** Closes the part within 3 s, even if its server does not answer. */
  readonly close: () => Promise<void>;
};

/** All times in milliseconds. */
const openTimeout = 60_000;
const closeTimeout = 2_000;
/** The time to close a part that broke or whose sockets were cut. */
const discardTimeout = 500;
const firstPause = 100;
const maxPause = 5_000;
/** After a part was open for this time, the next pause is the first one again. */
const stableTime = 10_000;

/** Doubles with each failure. Half of it is random, so that many processes do not reconnect at the same moment. */
const pauseAfter = (failures: number): number =>
  Math.min(maxPause, firstPause * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);

const discard = async ({ close, cut }: Part<unknown>, milliseconds: number): Promise<void> => {
  const closed = close().catch(() => {});
  await within(milliseconds, closed);
  cut();
  // `close` ends when the sockets are gone, and clears its timers.
  await within(discardTimeout, closed);
  cut(); // a second time, for sockets that were opened in between
};

export type KeepOptions = {
  /** Turns an error of the driver into the error for logs and callers. */
  readonly describe: (error: Error) => Error;
  /** Called for every failure. */
  readonly onFault: (error: Error) => void;
};

export const keepOpen = <T>(open: OpenPart<T>, { describe, onFault }: KeepOptions): Kept<T> => {
  const ended = new AbortController();
  let current: { readonly value: T } | null = null;
  let fault = new Error('Expected the queue to answer, but it has not answered yet');
  let endPart = (): void => {};
  let failPart = (_: Error): void => {};
  let markTried = (): void => {};
  const tried = new Promise<void>((resolve) => {
    markTried = resolve;
  });

  /** Runs one part until its last socket is closed. Resolves to the time for which it was open, in milliseconds. */
  const runPart = async (): Promise<number> => {
    const partEnded = new Promise<void>((resolve, reject) => {
      endPart = resolve;
      failPart = reject;
    });
    partEnded.catch(() => {}); // awaited below, but perhaps only after a rejection
    const part = open(failPart);
    let openedAt: number | null = null;
    try {
      const isOpen = await within(openTimeout, Promise.race([part.ready, partEnded]));
      if (!isOpen)
        throw new Error(`Expected the queue to open within ${openTimeout / 1000} s, but it did not`);
      if (!ended.signal.aborted) {
        openedAt = performance.now();
        current = part;
        markTried();
      }
      await partEnded;
    } catch (error) {
      fault = describe(error instanceof Error ? error : new Error(String(error)));
      if (!ended.signal.aborted) onFault(fault);
      // Before `close` of BullMQ, which first removes its error listeners: a later error of a socket would end the process.
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
