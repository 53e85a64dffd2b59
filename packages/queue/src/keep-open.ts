/**
 * One part of a queue (what rings, or what listens), kept open for as long as it is wanted. BullMQ does not survive a first connection
 * that fails: it keeps the rejected promise, and its worker asks it again at once, without end. So nothing here depends on how BullMQ or
 * a driver reconnects: a part that broke is thrown away and made anew, after a pause that grows.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export type Part<T> = {
  readonly value: T;
  /** Resolves when the part can be used. */
  readonly ready: Promise<unknown>;
  /** Ends the part in order. May wait for a server that does not answer. */
  readonly close: () => Promise<unknown>;
  /** Ends the sockets of the part, and so all that waits for them. */
  readonly cut: () => void;
};

/** Makes a part. The part calls `fail` when it breaks; only the first call counts. */
export type OpenPart<T> = (fail: (error: Error) => void) => Part<T>;

export type Kept<T> = {
  /** The open part. Throws what is wrong while there is none. */
  readonly get: () => T;
  /** Resolves when the first attempt has ended, well or not. */
  readonly tried: Promise<void>;
  /** Throws the open part away, as the part itself does when it breaks. */
  readonly fail: (error: Error) => void;
  /** Ends the part within 3 s, whatever its server does. */
  readonly close: () => Promise<void>;
};

/** All times in milliseconds. */
const openingTime = 60_000;
const closingTime = 2_000;
/** For closing a part that broke, or whose sockets were cut. */
const leavingTime = 500;
const firstPause = 100;
const longestPause = 5_000;
/** A part that was open for so long was no failed attempt. */
const steadyTime = 10_000;

/** Doubles with each failure. Half of it is random, so that many processes do not come back in step. */
const pauseAfter = (failures: number): number =>
  Math.min(longestPause, firstPause * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);

/** Waits for `work`, but no longer than `milliseconds`. Returns false when the time was up. */
export const within = async (milliseconds: number, work: Promise<unknown>): Promise<boolean> => {
  const done = new AbortController();
  const late = sleep(milliseconds, false, { signal: done.signal }).catch(() => true);
  return Promise.race([work.then(() => true), late]).finally(() => done.abort());
};

const discard = async ({ close, cut }: Part<unknown>, milliseconds: number): Promise<void> => {
  const closed = close().catch(() => {});
  await within(milliseconds, closed);
  cut();
  // What waited for the sockets ends now, and clears its timers.
  await within(leavingTime, closed);
  cut(); // what was opened in between
};

export type KeepOptions = {
  /** Makes a driver's error fit for a log and for callers. */
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
  let hasTried = (): void => {};
  const tried = new Promise<void>((resolve) => {
    hasTried = resolve;
  });

  /** One part, from opening it to its last socket. Returns how long it was open, in milliseconds. */
  const live = async (): Promise<number> => {
    const over = new Promise<void>((resolve, reject) => {
      endPart = resolve;
      failPart = reject;
    });
    over.catch(() => {}); // heard below, perhaps after the part was opened
    const part = open(failPart);
    let openedAt: number | null = null;
    try {
      const inTime = await within(openingTime, Promise.race([part.ready, over]));
      if (!inTime)
        throw new Error(`Expected the queue to open within ${openingTime / 1000} s, but it did not`);
      if (!ended.signal.aborted) {
        openedAt = performance.now();
        current = part;
        onOpen();
        hasTried();
      }
      await over;
    } catch (error) {
      fault = describe(error instanceof Error ? error : new Error(String(error)));
      if (!ended.signal.aborted) onFault(fault);
      // Before it is closed: BullMQ takes its listeners off first, and an error that then came from the server would end the process.
      part.cut();
    }
    current = null;
    hasTried();
    const milliseconds = openedAt === null ? 0 : performance.now() - openedAt;
    await discard(part, ended.signal.aborted && openedAt !== null ? closingTime : leavingTime);
    return milliseconds;
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!ended.signal.aborted) {
      const milliseconds = await live();
      failures = milliseconds >= steadyTime ? 1 : failures + 1;
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
