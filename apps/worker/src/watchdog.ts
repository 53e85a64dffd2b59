import type { Attempt } from './attempt.ts';

/** A look costs nothing; the limits are minutes. */
export const lookMilliseconds = 1000;

/** Loading data and compiling kernels may take this many times as long as a step. */
const firstStepAllowance = 2;

/**
 * Counts how long each attempt has made no progress and names those beyond the limit. It counts its own looks, each for at most two
 * intervals: a worker that was stopped, or a clock that jumped, ages nobody.
 */
export const createWatchdog = (hangMilliseconds: number, now: () => number = () => performance.now()) => {
  let last = now();
  return {
    look: (attempts: Iterable<Attempt>): Attempt[] => {
      const elapsed = Math.min(now() - last, 2 * lookMilliseconds);
      last = now();
      const hung: Attempt[] = [];
      for (const attempt of attempts) {
        if (attempt.stopping || attempt.saving > 0 || !attempt.trainer) continue;
        attempt.idleMilliseconds += elapsed;
        const limit = attempt.moved ? hangMilliseconds : firstStepAllowance * hangMilliseconds;
        if (attempt.idleMilliseconds > limit) hung.push(attempt);
      }
      return hung;
    },
  };
};
