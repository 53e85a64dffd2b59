/** The API as a process of its own: `node --import tsx apps/api/src/main.ts`. SIGTERM and SIGINT close it gracefully. */
import { AppError } from '@funnel/contracts';
import { migrate } from '@funnel/db';
import { engineVersion } from '@funnel/engine/engine-version';
import { pino } from 'pino';
import { z } from 'zod';
import { type Env, readEnv } from './env.ts';
import { startApi } from './start-api.ts';

/** Milliseconds after which requests that are still under way are given up. */
const patience = 10_000;

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
const logger = pino({ level: env.FUNNEL_LOG_LEVEL });

const start = async () => {
  const applied = await migrate(env.DATABASE_URL);
  if (applied.length > 0) logger.info({ applied }, 'migrated the database');
  return startApi({
    databaseUrl: env.DATABASE_URL,
    queueUrl: env.REDIS_URL,
    engineVersion,
    host: env.FUNNEL_HOST,
    port: env.FUNNEL_PORT,
    auth: env.FUNNEL_AUTH,
    allowedHosts: env.FUNNEL_ALLOWED_HOSTS,
    trustProxy: env.FUNNEL_TRUST_PROXY,
    rateLimit: env.FUNNEL_RATE_LIMIT,
    maxBodyBytes: env.FUNNEL_MAX_BODY_BYTES,
    maxStreams: env.FUNNEL_MAX_STREAMS,
    maxAttempts: env.FUNNEL_MAX_ATTEMPTS,
    leaseSeconds: env.FUNNEL_LEASE_SECONDS,
    reconcileSeconds: env.FUNNEL_RECONCILE_SECONDS,
    tokens: { admin: env.FUNNEL_ADMIN_TOKEN, metrics: env.FUNNEL_METRICS_TOKEN },
    tracesUrl: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    logger,
  });
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
  setTimeout(() => process.exit(1), patience).unref();
  api.close().then(
    () => process.exit(0),
    (error: unknown) => {
      logger.error({ err: error }, 'could not close');
      process.exit(1);
    },
  );
};
process.on('SIGTERM', leave).on('SIGINT', leave);
