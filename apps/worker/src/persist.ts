import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { isTransient } from '@funnel/db';
import type { Logger } from 'pino';

export const isStale = (error: unknown): boolean => error instanceof AppError && error.code === 'STALE_LEASE';

/** Another version has migrated the database: this one can write no result there. */
export const isMismatch = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'SCHEMA_MISMATCH';

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
