/** The API as a process of its own: `node --import tsx apps/api/src/main.ts`. A signal or an uncaught error closes it gracefully. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, engineVersion } from '@funnel/contracts';
import { migrate, retryUntilAdmitted } from '@funnel/db';
import { logDestination } from '@funnel/log';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { z } from 'zod';
import { type Env, readEnv, startOptions } from './env.ts';
import { type StartedApi, startApi } from './start-api.ts';

const parseEnv = (): Env => {
  try {
    return readEnv(process.env);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    console.error(`Cannot start with these environment variables:\n${z.prettifyError(error)}`);
    process.exit(2);
  }
};

const env = parseEnv();
const logger = pino({ level: env.FUNNEL_LOG_LEVEL }, logDestination(1));

/** Aborted when the process must end; a start that waits for the database then stops waiting. */
const ending = new AbortController();

const start = async (): Promise<StartedApi> => {
  const applied = await retryUntilAdmitted(
    () => migrate(env.DATABASE_DIRECT_URL ?? env.DATABASE_URL, { onWait: (words) => logger.warn(words) }),
    (error) => logger.warn({ err: error }, 'the database accepts no connections now: waiting until it does'),
    ending.signal,
  );
  if (applied.length > 0) logger.info({ applied }, 'migrated the database');
  return startApi({ ...startOptions(env), engineVersion, logger, signal: ending.signal });
};

const starting = start();

/** Milliseconds that a running start may still take when the process must end. */
const startTimeoutMs = 3_000;
/** Milliseconds after which the process ends in any case: more than a start and `StartedApi.close` together may take. */
const closeTimeoutMs = 40_000;

// Installed before the start ends, since a signal may come at any time. The process exits with 0, or with 1 if the callback throws.
closeWithGrace(
  {
    delay: closeTimeoutMs,
    logger,
    // A process that gets one of these signals is broken. Node must not run more JavaScript in it.
    skip: ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'],
  },
  async ({ signal, err }) => {
    ending.abort();
    if (err) logger.fatal({ err }, 'closing after an uncaught error');
    else logger.info({ signal }, 'closing');
    const api = await Promise.race([starting.catch(() => null), sleep(startTimeoutMs, null)]);
    await api?.close();
    const open = api?.notClosed() ?? [];
    if (open.length > 0)
      throw new Error(`Expected all parts to close, but these did not: ${open.join(', ')}`);
  },
);

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
