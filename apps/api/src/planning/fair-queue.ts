/** A queue of tasks that is fair between its callers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';

type Waiting = { readonly caller: string; readonly start: () => void };

export type FairQueueOptions = {
  /** Tasks that run at once. */
  readonly slots: number;
  /** Tasks of one caller that run at once. (Default: as many as there are slots) */
  readonly perCaller?: number;
  /** Tasks of one caller that wait. (Default: 20) */
  readonly maxWaiting?: number;
};

export type WaitOptions = {
  /** Milliseconds after which a task that has no slot is refused. (Default: never) */
  readonly waitMs?: number;
  /** The refusal of such a task. (Default: RATE_LIMITED) */
  readonly refusal?: () => AppError;
  /** When it aborts, a task that still waits is refused at once. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs a bounded number of tasks at once. The next task belongs to the caller with the fewest running tasks, and among these to the caller
 * whose last task began the longest time ago. A caller with running tasks may not take the last free slot. So no caller can make the others
 * wait.
 */
export type FairQueue = {
  /** Runs `task` when it has a slot. Throws the refusal, RATE_LIMITED if too many tasks of the caller wait, and the errors of `task`. */
  readonly run: <T>(caller: string, task: () => Promise<T>, options?: WaitOptions) => Promise<T>;
  /** The running tasks of a caller. */
  readonly running: (caller: string) => number;
};

/** Seconds after which a client should send a refused request again. */
const retryAfterSeconds = 2;

const busy = (): AppError =>
  new AppError(
    'RATE_LIMITED',
    'Expected a free place for a large request, but other requests have all that this token or address may use. Wait as long as Retry-After says.',
    { retryAfterSeconds },
  );

export const createFairQueue = ({
  slots,
  perCaller = slots,
  maxWaiting = 20,
}: FairQueueOptions): FairQueue => {
  const waiting = new Set<Waiting>();
  /** Running tasks by caller. */
  const running = new Map<string, number>();
  /** The callers that wait or run, in the order in which their last tasks began. */
  const begun = new Set<string>();
  const runningOf = (caller: string): number => running.get(caller) ?? 0;

  const next = (): Waiting | undefined => {
    const free = slots - [...running.values()].reduce((sum, count) => sum + count, 0);
    const order = new Map([...begun].map((caller, place) => [caller, place]));
    const allowed = [...waiting].filter(({ caller }) => {
      const own = runningOf(caller);
      return own < perCaller && free > (own > 0 ? 1 : 0);
    });
    const isBefore = (a: Waiting, b: Waiting): boolean => {
      const fewer = runningOf(a.caller) - runningOf(b.caller);
      return fewer !== 0 ? fewer < 0 : (order.get(a.caller) ?? -1) < (order.get(b.caller) ?? -1);
    };
    return allowed.reduce<Waiting | undefined>(
      (first, task) => (first === undefined || isBefore(task, first) ? task : first),
      undefined,
    );
  };

  const fill = (): void => {
    for (let task = next(); task; task = next()) {
      const { caller } = task;
      waiting.delete(task);
      begun.delete(caller);
      begun.add(caller);
      running.set(caller, runningOf(caller) + 1);
      task.start();
    }
  };

  const isIdle = (caller: string): boolean =>
    !running.has(caller) && ![...waiting].some((other) => other.caller === caller);

  const end = (caller: string): void => {
    const left = runningOf(caller) - 1;
    if (left > 0) running.set(caller, left);
    else running.delete(caller);
    if (isIdle(caller)) begun.delete(caller);
    fill();
  };

  /** Resolves when the task has a slot. */
  const slot = (caller: string, { waitMs, refusal = busy, signal }: WaitOptions): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = new AbortController();
      const task: Waiting = {
        caller,
        start: () => {
          started.abort();
          resolve();
        },
      };
      const refuse = (): void => {
        if (waiting.delete(task)) reject(refusal());
      };
      waiting.add(task);
      fill();
      if (started.signal.aborted) return;
      if (signal?.aborted) refuse();
      signal?.addEventListener('abort', refuse, { once: true, signal: started.signal });
      if (waitMs !== undefined) sleep(waitMs, undefined, { signal: started.signal }).then(refuse, () => {});
    });

  return {
    run: async (caller, task, options = {}) => {
      const waitingOfCaller = [...waiting].filter((other) => other.caller === caller).length;
      if (waitingOfCaller >= maxWaiting)
        throw new AppError(
          'RATE_LIMITED',
          `Expected at most ${maxWaiting} waiting large requests of one token or address, but got more`,
          { retryAfterSeconds },
        );
      await slot(caller, options);
      try {
        return await task();
      } finally {
        end(caller);
      }
    },
    running: runningOf,
  };
};
