import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

export type Deferred<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
};

/** A promise and what settles it (Node 20 lacks `Promise.withResolvers`). A rejection that nobody waits for is not an accident. */
export const deferred = <T>(): Deferred<T> => {
  let resolve: Deferred<T>['resolve'] = () => {};
  let reject: Deferred<T>['reject'] = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
};

/** Calls `task` again and again, `milliseconds` after its last call has ended. Logs its errors. */
export const repeat = (milliseconds: number, log: Logger, task: () => Promise<void>) => {
  const ended = new AbortController();
  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await task().catch((error: unknown) =>
        log.warn({ error: error instanceof Error ? error.message : String(error) }, 'housekeeping failed'),
      );
      await sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => {});
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

/** Milliseconds that a part has when the time of all is up. */
const minMilliseconds = 100;

/**
 * What was opened and has to be closed, last opened first. A part that does not close in its time, or at all, does not hold up the rest,
 * and all of them together take no longer than `allMilliseconds`, but for a moment each.
 */
export const createClosing = (log: Logger, allMilliseconds: number) => {
  const steps: Step[] = [];
  /** Returns false when the time was up. */
  const closeOne = async ({ what, close, milliseconds }: Step): Promise<boolean> => {
    const late = new AbortController();
    const timeout = sleep(milliseconds, 'late', { signal: late.signal }).catch(() => 'in time');
    try {
      const outcome = await Promise.race([close(), timeout]);
      if (outcome !== 'late') return true;
      log.warn({ what, milliseconds: Math.round(milliseconds) }, 'part did not close in time');
      return false;
    } catch (error) {
      log.warn(
        { what, error: error instanceof Error ? error.message : String(error) },
        'part did not close well',
      );
      return true;
    } finally {
      late.abort();
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
    /** Once, whoever asks. */
    close: (): Promise<void> => {
      closing ??= closeAll();
      return closing;
    },
  };
};
