/** The API as a process of its own: `node --import tsx apps/api/src/main.ts`. SIGTERM, SIGINT and SIGHUP close it gracefully. */
import { AppError } from '@funnel/contracts';
import { migrate, whenAdmitted } from '@funnel/db';
import { engineVersion } from '@funnel/engine/engine-version';
import { logDestination } from '@funnel/log';
import { pino } from 'pino';
import { z } from 'zod';
import { type Env, readEnv } from './env.ts';
import { startApi } from './start-api.ts';
import { startOptions } from './start-options.ts';

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
  const applied = await whenAdmitted(
    () => migrate(env.DATABASE_URL, { onWait: (words) => logger.warn(words) }),
    (error) => logger.warn({ err: error }, 'the database takes no connection now: waiting until it does'),
  );
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
  void api.close().then(() => process.exit(api.notClosed().length > 0 ? 1 : 0));
};
process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);
