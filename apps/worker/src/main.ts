/**
 * A worker as a process of its own: `node --import tsx apps/worker/src/main.ts`. SIGTERM, SIGINT and SIGHUP drain it and end it with
 * status 0; a fault that it cannot go on with ends it with 1.
 */
import { AppError } from '@funnel/contracts';
import { logDestination } from '@funnel/log';
import { pino } from 'pino';
import { z } from 'zod';
import { readEnv } from './env.ts';
import { workerOptions } from './env-options.ts';
import { startWorker } from './start-worker.ts';

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

const worker = await startWorker({ ...workerOptions(env), log }).catch((error: unknown) => {
  sayFatal(error, 'could not start');
  process.exit(1);
});

/** The log has said what did not close in time. */
const leave = (): void => void worker.stop().then(() => process.exit(worker.notClosed().length > 0 ? 1 : 0));
process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);
worker.failed.catch(async (error: unknown) => {
  sayFatal(error, 'worker cannot go on');
  await worker.stop();
  process.exit(1);
});
