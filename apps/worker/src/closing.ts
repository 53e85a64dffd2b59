import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

type Step = { readonly what: string; readonly close: () => Promise<unknown>; readonly milliseconds: number };

/** What was opened and has to be closed, last opened first. A part that does not close in its time, or at all, does not hold up the rest. */
export const createClosing = (log: Logger) => {
  const steps: Step[] = [];
  const closeOne = async ({ what, close, milliseconds }: Step): Promise<void> => {
    const late = new AbortController();
    const timeout = sleep(milliseconds, 'late', { signal: late.signal }).catch(() => 'in time');
    try {
      const outcome = await Promise.race([close(), timeout]);
      if (outcome === 'late') log.warn({ what, milliseconds }, 'part did not close in time');
    } catch (error) {
      log.warn(
        { what, error: error instanceof Error ? error.message : String(error) },
        'part did not close well',
      );
    } finally {
      late.abort();
    }
  };
  let closing: Promise<void> | null = null;
  const closeAll = async (): Promise<void> => {
    for (const step of steps.reverse()) await closeOne(step);
  };
  return {
    add: (what: string, close: () => Promise<unknown>, milliseconds = 3000): void => {
      steps.push({ what, close, milliseconds });
    },
    /** Once, whoever asks. */
    close: (): Promise<void> => {
      closing ??= closeAll();
      return closing;
    },
  };
};
