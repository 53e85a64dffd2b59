import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import type { Logger } from 'pino';

/** SQLSTATE classes that come back the same however often the statement is sent: bad data, broken constraint, wrong statement. */
const permanentClasses = new Set(['0A', '22', '23', '42']);
const networkWords = /connect|terminat|timed? ?out|socket|ECONN|EPIPE|shutting down|starting up/i;

/** Whether waiting can help: the database restarts, fails over, is out of reach, out of connections or out of disk. */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof AppError) return error.code === 'UNAVAILABLE' || error.code === 'STORAGE_FULL';
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^[0-9A-Z]{5}$/.test(code)) return !permanentClasses.has(code.slice(0, 2)) && !/^P2/.test(code);
  return /^(E[A-Z]+|P1\d{3})$/.test(code) || networkWords.test(error.message);
};

export const isStale = (error: unknown): boolean => error instanceof AppError && error.code === 'STALE_LEASE';

const firstWait = 100;
const longestWait = 3_000;

/**
 * Sends a write until it is taken: while the database is away, waits from 0.1 s up to 3 s between tries. Throws what waiting cannot
 * mend, and whatever came last once `signal` is aborted.
 */
export const persist = async <T>(write: () => Promise<T>, signal: AbortSignal, log: Logger): Promise<T> => {
  for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      log.warn(
        { error: error instanceof Error ? error.message : String(error), wait },
        'database was out of reach',
      );
      // Spread out, so that many workers do not come back in step.
      await sleep(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }
};
