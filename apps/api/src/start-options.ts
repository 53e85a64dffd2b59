import type { Env } from './env.ts';
import type { StartOptions } from './start-api.ts';

/** What the environment says about starting the API, for everything that starts one. */
export const startOptions = (env: Env): Omit<StartOptions, 'engineVersion' | 'logger'> => ({
  databaseUrl: env.DATABASE_URL,
  queueUrl: env.REDIS_URL,
  host: env.FUNNEL_HOST,
  port: env.FUNNEL_PORT,
  auth: env.FUNNEL_AUTH,
  allowedHosts: env.FUNNEL_ALLOWED_HOSTS,
  trustProxy: env.FUNNEL_TRUST_PROXY,
  rateLimit: env.FUNNEL_RATE_LIMIT,
  maxBodyBytes: env.FUNNEL_MAX_BODY_BYTES,
  maxStreams: env.FUNNEL_MAX_STREAMS,
  maxStreamsPerToken: env.FUNNEL_MAX_STREAMS_PER_TOKEN,
  maxAttempts: env.FUNNEL_MAX_ATTEMPTS,
  leaseSeconds: env.FUNNEL_LEASE_SECONDS,
  reconcileSeconds: env.FUNNEL_RECONCILE_SECONDS,
  tokens: { admin: env.FUNNEL_ADMIN_TOKEN, metrics: env.FUNNEL_METRICS_TOKEN },
  tracesUrl: env.OTEL_EXPORTER_OTLP_ENDPOINT,
});
