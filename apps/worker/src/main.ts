/** A worker as a process of its own: `node --import tsx apps/worker/src/main.ts`. SIGTERM, SIGINT and SIGHUP drain it. */
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

const worker = await startWorker({ ...workerOptions(env), log }).catch((error: unknown) => {
  if (error instanceof AppError) log.fatal({ code: error.code }, error.message);
  else log.fatal({ err: error }, 'could not start');
  process.exit(1);
});

const leave = (): void => void worker.stop().then(() => process.exit(0));
process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);
worker.failed.catch(async (error: unknown) => {
  log.fatal({ err: error }, 'worker cannot go on');
  await worker.stop();
  process.exit(1);
});
