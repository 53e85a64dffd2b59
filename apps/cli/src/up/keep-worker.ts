/** A worker that ends by itself is started again: the API and the dashboard go on meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningWorker } from '@funnel/worker';
import type { Logger } from 'pino';

const firstPause = 1000;
const longestPause = 60_000;
/** What ends a worker that has worked for so long is something new. */
const wellMilliseconds = 60_000;

/** `failed` rejects when it ends by itself for the first time. */
export type KeptWorker = Pick<RunningWorker, 'slots' | 'backend' | 'device' | 'failed' | 'stop'>;

/** Throws what the first start throws: that one tells whether a worker can run here at all. */
export const keepWorker = async (start: () => Promise<RunningWorker>, log: Logger): Promise<KeptWorker> => {
  const first = await start();
  const leaving = new AbortController();
  const left = new Promise<void>((resolve) => {
    leaving.signal.addEventListener('abort', () => resolve());
  });

  /** Resolves to why the worker ended. */
  const endOf = async (worker: RunningWorker): Promise<unknown> => {
    try {
      return await Promise.race([worker.failed, left]);
    } catch (error) {
      return error;
    } finally {
      await worker.stop();
    }
  };

  const keep = async (): Promise<void> => {
    let pause = firstPause;
    for (let next = () => Promise.resolve(first); ; next = start) {
      const begun = performance.now();
      const error = await next().then(endOf, (refusal: unknown) => refusal);
      if (leaving.signal.aborted) return;
      if (performance.now() - begun > wellMilliseconds) pause = firstPause;
      log.error(
        { error: error instanceof Error ? error.message : String(error) },
        `the worker ended and is started again in ${pause / 1000} s`,
      );
      await sleep(pause, undefined, { signal: leaving.signal }).catch(() => {});
      if (leaving.signal.aborted) return;
      pause = Math.min(longestPause, 2 * pause);
    }
  };
  const keeping = keep();

  const { slots, backend, device, failed } = first;
  return {
    ...{ slots, backend, device, failed },
    stop: async () => {
      leaving.abort();
      await keeping;
    },
  };
};
