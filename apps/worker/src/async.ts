import { setTimeout as sleep } from 'node:timers/promises';
import { createRepeatedFaults, within } from '@funnel/contracts';
import type { Logger } from 'pino';

export type Deferred<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
};

/** A promise with its `resolve` and `reject` (Node 20 lacks `Promise.withResolvers`). A rejection that nothing awaits does no harm. */
export const deferred = <T>(): Deferred<T> => {
  let resolve: Deferred<T>['resolve'] = () => {};
  let reject: Deferred<T>['reject'] = () => {};
  const promise = new Promise<T>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
};

/** Makes the calls of a function run one after the other. */
export const oneAtATime = <T>(call: () => Promise<T>): (() => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(call);
    last = next.catch(() => {});
    return next;
  };
};

/** Logs a fault of a connection as a warning: once, and while it comes again, once a minute with its count. */
export const createWarning = (log: Logger, message: string): ((error: unknown) => void) => {
  const report = createRepeatedFaults();
  return (error) => {
    const words = report(error instanceof Error ? error.message : String(error), Date.now());
    if (words !== null) log.warn({ error: words }, message);
  };
};

/**
 * Calls `task` until stopped, each time `milliseconds` after the last call has ended. The first call comes after a random part of this time, so
 * that many processes that start together do not call together. Logs its errors.
 */
export const repeat = (milliseconds: number, log: Logger, task: () => Promise<void>) => {
  const ended = new AbortController();
  const warn = createWarning(log, 'periodic task failed');
  const pause = (length: number): Promise<void> =>
    sleep(length, undefined, { signal: ended.signal }).catch(() => {});
  const loop = async (): Promise<void> => {
    await pause(milliseconds * Math.random());
    while (!ended.signal.aborted) {
      await task().catch(warn);
      await pause(milliseconds);
    }
  };
  const running = loop();
  return {
    stop: async (): Promise<void> => {
      ended.abort();
      await running;
    },
  };
};

type Step = { readonly what: string; readonly close: () => Promise<unknown>; readonly milliseconds: number };

/** Each part gets at least this time, even when the time for all parts is over. */
const minMilliseconds = 100;

/**
 * Closes the parts that were added, the last one first. A part that is late or fails does not delay the others. All parts together take
 * `allMilliseconds` at most; each part that is still open then takes `minMilliseconds` more.
 */
export const createClosing = (log: Logger, allMilliseconds: number) => {
  const steps: Step[] = [];
  /** Resolves to false when the part was late. */
  const closeOne = async ({ what, close, milliseconds }: Step): Promise<boolean> => {
    try {
      if (await within(milliseconds, close())) return true;
      log.warn({ what, milliseconds: Math.round(milliseconds) }, 'part did not close in time');
      return false;
    } catch (error) {
      log.warn(
        { what, error: error instanceof Error ? error.message : String(error) },
        'part failed to close',
      );
      return true;
    }
  };
  const late: string[] = [];
  let closing: Promise<void> | null = null;
  const closeAll = async (): Promise<void> => {
    const end = performance.now() + allMilliseconds;
    for (const step of steps.reverse()) {
      const milliseconds = Math.min(step.milliseconds, Math.max(minMilliseconds, end - performance.now()));
      if (!(await closeOne({ ...step, milliseconds }))) late.push(step.what);
    }
  };
  return {
    add: (what: string, close: () => Promise<unknown>, milliseconds = 3000): void => {
      steps.push({ what, close, milliseconds });
    },
    /** Parts that did not close in time. */
    late: (): readonly string[] => late,
    /** Closes all parts; a second call waits for the first. */
    close: (): Promise<void> => {
      closing ??= closeAll();
      return closing;
    },
  };
};
