/**
 * The worker process: `node --import tsx apps/worker/src/main.ts`. On SIGTERM, SIGINT and SIGHUP it releases its stages and ends with status 0.
 * After a fault that stops it, it ends with status 1.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { logDestination } from '@funnel/log';
import { pino } from 'pino';
import { z } from 'zod';
import { readEnv, workerOptions } from './options.ts';
import { type RunningWorker, startWorker } from './worker.ts';

const parseEnv = () => {
  try {
    return readEnv(process.env);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    console.error(`Cannot start with these environment variables:\n${z.prettifyError(error)}`);
    process.exit(2);
  }
};

const env = parseEnv();
const log = pino({ level: env.FUNNEL_LOG_LEVEL }, logDestination(1));

/** An error that a person can mend is logged without its stack. */
const logFatal = (error: unknown, message: string): void => {
  if (error instanceof AppError) log.fatal({ code: error.code }, error.message);
  else log.fatal({ err: error }, message);
};

/** Aborted by the first signal; a start that waits for the database then stops waiting. */
const stopping = new AbortController();
const starting = startWorker({ ...workerOptions(env), signal: stopping.signal, log });

/** When a signal comes during the start, the start has this time to finish. */
const startMilliseconds = 3_000;

const stop = async (): Promise<void> => {
  if (stopping.signal.aborted) return;
  stopping.abort();
  const worker = await Promise.race([starting.catch(() => null), sleep(startMilliseconds, null)]);
  await worker?.stop();
  process.exit(worker && worker.notClosed().length > 0 ? 1 : 0); // the log names the parts that did not close in time
};
// Set before the first `await`, because a signal can come at any moment.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);

let worker: RunningWorker | undefined;
try {
  worker = await starting;
  await worker.failed;
} catch (error) {
  if (!stopping.signal.aborted) {
    logFatal(error, worker ? 'worker cannot go on' : 'could not start');
    await worker?.stop();
    process.exit(1);
  }
}
