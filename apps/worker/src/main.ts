/** A worker as a process of its own: `node --import tsx apps/worker/src/main.ts`. SIGTERM and SIGINT drain it. */
import { pino } from 'pino';
import { z } from 'zod';
import { Env } from './env.ts';
import { startWorker } from './start-worker.ts';

const parsed = Env.safeParse(process.env);
if (!parsed.success) {
  console.error(`The environment is not complete:\n${z.prettifyError(parsed.error)}`);
  process.exit(2);
}
const env = parsed.data;
const log = pino({ level: env.FUNNEL_LOG_LEVEL });

const worker = await startWorker({
  databaseUrl: env.DATABASE_URL,
  queueUrl: env.REDIS_URL,
  places: { dir: env.FUNNEL_DATA, home: env.FUNNEL_HOME },
  slots: env.FUNNEL_SLOTS,
  backend: env.FUNNEL_BACKEND,
  leaseSeconds: env.FUNNEL_LEASE_SECONDS,
  maxAttempts: env.FUNNEL_MAX_ATTEMPTS,
  drainSeconds: env.FUNNEL_DRAIN_SECONDS,
  hangSeconds: env.FUNNEL_HANG_SECONDS,
  tracesUrl: env.OTEL_EXPORTER_OTLP_ENDPOINT,
  log,
});

const leave = (): void => void worker.stop().then(() => process.exit(0));
process.on('SIGTERM', leave).on('SIGINT', leave);
worker.failed.catch(async (error: unknown) => {
  log.fatal({ err: error }, 'worker cannot go on');
  await worker.stop();
  process.exit(1);
});
