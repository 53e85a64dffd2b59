import type { Env } from './env.ts';
import type { WorkerOptions } from './options.ts';

/** What the environment says about a worker, for everything that starts one. */
export const workerOptions = (env: Env): Omit<WorkerOptions, 'log'> => ({
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
});
