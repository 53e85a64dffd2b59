/** A server that answers but takes nobody for now: a program that starts waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './database-errors.ts';

/** Too many connections; starting up; shutting down; ended by an administrator or by the crash of another connection. */
const notNow: ReadonlySet<string> = new Set(['53300', '57P03', '57P01', '57P02']);

const takesNobody = (error: unknown): boolean =>
  notNow.has(errorCode(error) ?? '') ||
  (error instanceof Error && error.cause !== undefined && takesNobody(error.cause));

const firstWait = 100;
const longestWait = 5_000;

/**
 * Does `work` again, after pauses of 0.1 s up to 5 s, for as long as the server takes nobody. Calls `onWait` once, with what the server
 * said. Throws every other error, and whatever came last once `signal` is aborted.
 */
export const whenAdmitted = async <T>(
  work: () => Promise<T>,
  onWait: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<T> => {
  for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
    try {
      return await work();
    } catch (error) {
      if (!takesNobody(error) || signal?.aborted) throw error;
      if (wait === firstWait) onWait(error);
      // Half of it is random, so that programs that started together do not come back in step.
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
  }
};
