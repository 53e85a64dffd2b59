/** What a worker is told by its environment. Every variable stands in .env.example. */
import { z } from 'zod';

const positive = (value: number) => z.coerce.number().gt(0).default(value);

export const Env = z.object({
  DATABASE_URL: z.string().min(1, 'Expected a postgres:// address'),
  REDIS_URL: z.string().optional(),
  FUNNEL_HOME: z.string().default('.funnel'),
  FUNNEL_DATA: z.string().optional(),
  FUNNEL_SLOTS: z.coerce.number().int().min(1).optional(),
  FUNNEL_BACKEND: z.string().default('auto'),
  FUNNEL_LEASE_SECONDS: positive(10),
  FUNNEL_MAX_ATTEMPTS: z.coerce.number().int().min(1).default(3),
  FUNNEL_DRAIN_SECONDS: positive(10),
  FUNNEL_HANG_SECONDS: positive(300),
  FUNNEL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
});
export type Env = z.infer<typeof Env>;

/** Throws a ZodError that names the variables that are wrong. An empty variable counts as one that is not set. */
export const readEnv = (variables: NodeJS.ProcessEnv): Env =>
  Env.parse(Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')));
