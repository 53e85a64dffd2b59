/** The API as a process of its own: `node --import tsx apps/api/src/main.ts`. SIGTERM, SIGINT and SIGHUP close it gracefully. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { migrate, whenAdmitted } from '@funnel/db';
import { engineVersion } from '@funnel/engine/engine-version';
import { logDestination } from '@funnel/log';
import { pino } from 'pino';
import { z } from 'zod';
import { type Env, readEnv, startOptions } from './env.ts';
import { type StartedApi, startApi } from './start-api.ts';

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

/** Aborted by the first signal: a start that waits for its database waits no longer. */
const ending = new AbortController();

const start = async (): Promise<StartedApi> => {
  const applied = await whenAdmitted(
    () => migrate(env.DATABASE_URL, { onWait: (words) => logger.warn(words) }),
    (error) => logger.warn({ err: error }, 'the database takes no connection now: waiting until it does'),
    ending.signal,
  );
  if (applied.length > 0) logger.info({ applied }, 'migrated the database');
  return startApi({ ...startOptions(env), engineVersion, logger, signal: ending.signal });
};

const starting = start();

/** Milliseconds that a start which is under way may still take when the process is told to end. */
const startTime = 3_000;

const leave = async (signal: NodeJS.Signals): Promise<void> => {
  if (ending.signal.aborted) return;
  ending.abort();
  logger.info({ signal }, 'closing');
  const api = await Promise.race([starting.catch(() => null), sleep(startTime, null)]);
  await api?.close();
  process.exit(api && api.notClosed().length > 0 ? 1 : 0);
};
// Before anything is started: the process can be told to end at any moment.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, leave);

try {
  const { url } = await starting;
  logger.info({ url }, 'listening');
} catch (error) {
  if (!ending.signal.aborted) {
    if (error instanceof AppError) logger.fatal({ code: error.code }, error.message);
    else logger.fatal({ err: error }, 'could not start');
    process.exit(1);
  }
}
