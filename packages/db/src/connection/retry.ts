/** A program that starts waits for its database: repeats an operation until the server answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, isUnreachable } from './database-errors.ts';

/** Too many connections; starting up; shutting down; ended by an administrator or by the crash of another connection. */
const refusedForNow: ReadonlySet<string> = new Set(['53300', '57P03', '57P01', '57P02']);

const isRefusedForNow = (error: unknown): boolean => refusedForNow.has(errorCode(error) ?? '');

/** Whether `is` holds for the error or for one of its causes: an AppError has the error of the driver as its cause. */
const holdsWithin = (error: unknown, is: (error: unknown) => boolean): boolean =>
  is(error) || (error instanceof Error && error.cause !== undefined && holdsWithin(error.cause, is));

const firstPauseMs = 100;
const maxPauseMs = 5_000;
/** The time between two calls of `onWait`. */
const noteMs = 60_000;

/** `waitedMs`: the time since the first try. */
type OnWait = (error: unknown, waitedMs: number) => void;

/** Rejects with the reason of the signal as soon as it is aborted. */
const untilAborted = <T>(operation: Promise<T>, signal?: AbortSignal): Promise<T> =>
  signal === undefined
    ? operation
    : new Promise((resolve, reject) => {
        const abort = (): void => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        operation.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
      });

const retryWhile =
  (isTemporary: (error: unknown) => boolean) =>
  async <T>(operation: () => Promise<T>, onWait: OnWait, signal?: AbortSignal): Promise<T> => {
    const started = performance.now();
    let noted = Number.NEGATIVE_INFINITY;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      try {
        return await operation();
      } catch (error) {
        if (signal?.aborted || !holdsWithin(error, isTemporary)) throw error;
        const waitedMs = performance.now() - started;
        if (waitedMs - noted >= noteMs) {
          onWait(error, waitedMs);
          noted = waitedMs;
        }
        // Half of the pause is random, so that programs that started together do not return together.
        await untilAborted(sleep(pauseMs * (0.5 + Math.random() / 2)), signal);
      }
    }
  };

/**
 * Repeats `operation`, after pauses of 0.1 s up to 5 s, while the server answers but accepts no connection. Calls `onWait` with the server's
 * error at once, and then once a minute. Throws every other error. Once `signal` is aborted, throws its reason, or the error of the last try.
 */
export const retryUntilAdmitted = retryWhile(isRefusedForNow);

const retryAway = retryWhile((error) => isRefusedForNow(error) || isUnreachable(error));

/**
 * As `retryUntilAdmitted`, and also while no server answers at the address, which may have no name yet. Once `signal` is aborted, does not wait
 * for the running try.
 */
export const retryUntilReachable = <T>(
  operation: () => Promise<T>,
  onWait: OnWait,
  signal?: AbortSignal,
): Promise<T> => retryAway(() => untilAborted(operation(), signal), onWait, signal);
