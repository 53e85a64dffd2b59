/** The API's environment variables. .env.example explains each of them. */
import { defaultSweepLimits } from '@funnel/contracts';
import { defaultDatasetLimits } from '@funnel/db';
import { z } from 'zod';
import type { StartOptions } from './start-api.ts';

/** A token travels in a header, so it has no spaces. It is long, so that nobody can guess it. */
const secret = z.string().regex(/^[!-~]{16,500}$/, 'Expected 16 to 500 printable characters without spaces');
/** A timer of Node that waits for more than 24 days fires at once. */
const seconds = (value: number, max = 86_400) => z.coerce.number().gt(0).max(max).default(value);
const count = (value: number) => z.coerce.number().int().min(1).default(value);
/** `a, b` → ['a', 'b'] */
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

export const Env = z.object({
  DATABASE_URL: z.string().min(1, 'Expected a postgres:// address'),
  DATABASE_DIRECT_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  FUNNEL_HOST: z.string().default('127.0.0.1'),
  FUNNEL_PORT: z.coerce.number().int().min(0).max(65_535).default(7070),
  FUNNEL_AUTH: z.enum(['auto', 'required']).default('auto'),
  FUNNEL_ALLOWED_HOSTS: list,
  FUNNEL_TRUST_PROXY: z.stringbool().default(false),
  FUNNEL_RATE_LIMIT: z.coerce.number().int().min(1).optional(),
  FUNNEL_MAX_BODY_BYTES: count(1024 * 1024),
  FUNNEL_MAX_STREAMS: count(500),
  FUNNEL_MAX_STREAMS_PER_TOKEN: z.coerce.number().int().min(1).optional(),
  FUNNEL_MAX_ATTEMPTS: count(3),
  FUNNEL_PLANNING_SECONDS: seconds(10, 100), // a request is answered within 120 s, and also waits for the database
  FUNNEL_MAX_TRAINER_BYTES: count(defaultSweepLimits.trainerBytes),
  FUNNEL_MAX_SWEEP_BYTES: count(defaultSweepLimits.storedBytes),
  FUNNEL_MAX_ATTACK_QUERIES: count(defaultSweepLimits.attackQueries),
  FUNNEL_MAX_DATASET_BYTES: count(defaultDatasetLimits.bytes),
  FUNNEL_MAX_DATASETS_BYTES: count(defaultDatasetLimits.ownBytes),
  FUNNEL_LEASE_SECONDS: seconds(10),
  FUNNEL_RECONCILE_SECONDS: seconds(3),
  FUNNEL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  FUNNEL_ADMIN_TOKEN: secret.optional(),
  FUNNEL_METRICS_TOKEN: secret.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
});
export type Env = z.infer<typeof Env>;

/** Throws a ZodError that names the wrong variables. An empty variable counts as not set. */
export const readEnv = (variables: NodeJS.ProcessEnv): Env =>
  Env.parse(Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')));

/** The options of `startApi` that the environment sets. */
export const startOptions = (env: Env): Omit<StartOptions, 'engineVersion' | 'logger'> => ({
  databaseUrl: env.DATABASE_URL,
  directUrl: env.DATABASE_DIRECT_URL,
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
  planningSeconds: env.FUNNEL_PLANNING_SECONDS,
  sweepLimits: {
    trainerBytes: env.FUNNEL_MAX_TRAINER_BYTES,
    storedBytes: env.FUNNEL_MAX_SWEEP_BYTES,
    attackQueries: env.FUNNEL_MAX_ATTACK_QUERIES,
  },
  datasetLimits: { bytes: env.FUNNEL_MAX_DATASET_BYTES, ownBytes: env.FUNNEL_MAX_DATASETS_BYTES },
  maxAttempts: env.FUNNEL_MAX_ATTEMPTS,
  leaseSeconds: env.FUNNEL_LEASE_SECONDS,
  reconcileSeconds: env.FUNNEL_RECONCILE_SECONDS,
  tokens: { admin: env.FUNNEL_ADMIN_TOKEN, metrics: env.FUNNEL_METRICS_TOKEN },
  tracesUrl: env.OTEL_EXPORTER_OTLP_ENDPOINT,
});
