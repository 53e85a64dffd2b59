/**
 * A worker as a process of its own: `node --import tsx apps/worker/src/main.ts`. SIGTERM, SIGINT and SIGHUP drain it and end it with
 * status 0; a fault that it cannot go on with ends it with 1.
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
    console.error(`The environment is not complete:\n${z.prettifyError(error)}`);
    process.exit(2);
  }
};

const env = parseEnv();
const log = pino({ level: env.FUNNEL_LOG_LEVEL }, logDestination(1));

/** What a person can act on is said in its own words. */
const sayFatal = (error: unknown, otherwise: string): void => {
  if (error instanceof AppError) log.fatal({ code: error.code }, error.message);
  else log.fatal({ err: error }, otherwise);
};

/** Aborted by the first signal: a start that waits for its database waits no longer. */
const ending = new AbortController();
const starting = startWorker({ ...workerOptions(env), signal: ending.signal, log });

/** Milliseconds that a start which is under way may still take when the process is told to end. */
const startTime = 3_000;

const leave = async (): Promise<void> => {
  if (ending.signal.aborted) return;
  ending.abort();
  const worker = await Promise.race([starting.catch(() => null), sleep(startTime, null)]);
  await worker?.stop();
  process.exit(worker && worker.notClosed().length > 0 ? 1 : 0); // the log has said what did not close in time
};
// Before anything is started: the process can be told to end at any moment.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, leave);

let worker: RunningWorker | undefined;
try {
  worker = await starting;
  await worker.failed;
} catch (error) {
  if (!ending.signal.aborted) {
    sayFatal(error, worker ? 'worker cannot go on' : 'could not start');
    await worker?.stop();
    process.exit(1);
  }
}
