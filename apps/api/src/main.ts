/** The API as a process of its own: `node --import tsx apps/api/src/main.ts`. SIGTERM, SIGINT and SIGHUP close it gracefully. */
import { AppError } from '@funnel/contracts';
import { migrate } from '@funnel/db';
import { engineVersion } from '@funnel/engine/engine-version';
import { logDestination } from '@funnel/log';
import { pino } from 'pino';
import { z } from 'zod';
import { type Env, readEnv } from './env.ts';
import { startApi } from './start-api.ts';
import { startOptions } from './start-options.ts';

/** Milliseconds after which requests that are still under way are given up. */
const patience = 20_000;

const parseEnv = (): Env => {
  try {
    return readEnv(process.env);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    console.error(`The environment is not complete:\n${z.prettifyError(error)}`);
    process.exit(2);
  }
};

const env = parseEnv();
const logger = pino({ level: env.FUNNEL_LOG_LEVEL }, logDestination(1));

const start = async () => {
  const applied = await migrate(env.DATABASE_URL);
  if (applied.length > 0) logger.info({ applied }, 'migrated the database');
  return startApi({ ...startOptions(env), engineVersion, logger });
};

const api = await start().catch((error: unknown) => {
  if (error instanceof AppError) logger.fatal({ code: error.code }, error.message);
  else logger.fatal({ err: error }, 'could not start');
  process.exit(1);
});
logger.info({ url: api.url }, 'listening');

let leaving = false;
const leave = (signal: NodeJS.Signals): void => {
  if (leaving) return;
  leaving = true;
  logger.info({ signal }, 'closing');
  setTimeout(() => {
    logger.error('gave up closing');
    process.exit(1);
  }, patience).unref();
  api.close().then(
    () => process.exit(0),
    (error: unknown) => {
      logger.error({ err: error }, 'could not close');
      process.exit(1);
    },
  );
};
process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);
