import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Does `work` again and again, so many milliseconds after it was done last. What it throws is logged and forgotten. */
export const every = (milliseconds: number, log: Logger, work: () => Promise<void>) => {
  const ended = new AbortController();
  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await work().catch((error: unknown) =>
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
