import type { DataPlaces } from '@funnel/engine';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { SimulationOptions } from './simulated-faults.ts';

export type WorkerOptions = {
  readonly databaseUrl: string;
  /** `redis://…`, or `postgres://…` for a queue in PostgreSQL. (Default: `databaseUrl`) */
  readonly queueUrl?: string;
  /** A name for people. (Default: host name, process id and a random part) */
  readonly id?: string;
  /** The folders of FUNNEL_DATA and FUNNEL_HOME, to look for data sets in. (Default: the usual folders) */
  readonly places?: DataPlaces;
  /** Trainers. (Default: one per core, as many as memory holds, 8 at most) */
  readonly slots?: number;
  /** A backend's name, or `auto`. (Default: `auto`) */
  readonly backend?: string;
  /** After so long without a heartbeat other workers may claim the stage. (Default: 10) */
  readonly leaseSeconds?: number;
  /** A stage has failed after so many failed attempts. (Default: 3) */
  readonly maxAttempts?: number;
  /** `stop` releases all stages within this time. (Default: 10) */
  readonly drainSeconds?: number;
  /** How long a trainer may take for the checkpoint of a pause before it is killed. (Default: 4) */
  readonly stopSeconds?: number;
  /** The worker kills a trainer without progress for so long, and the attempt has failed. (Default: 300) */
  readonly hangSeconds?: number;
  /** The worker replaces a trainer that holds more, between stages. (Default: 1.5 GiB) */
  readonly memoryLimitBytes?: number;
  /** Seconds between two queries for work without a notification. (Default: 2) */
  readonly pollSeconds?: number;
  /** A collector of traces that speaks OTLP over HTTP, such as http://localhost:4318. (Default: no traces) */
  readonly tracesUrl?: string;
  /** Simulated training instead of tfjs, for tests of everything around training. */
  readonly simulation?: SimulationOptions;
  /** When aborted, a worker that waits for the database stops waiting. */
  readonly signal?: AbortSignal;
  readonly log: Logger;
};

/** The worker's environment variables. .env.example explains each of them. */

/** A timer of Node that waits for more than 24 days fires at once. */
const seconds = (value: number) => z.coerce.number().gt(0).max(86_400).default(value);

export const Env = z.object({
  DATABASE_URL: z.string().min(1, 'Expected a postgres:// address'),
  REDIS_URL: z.string().optional(),
  FUNNEL_HOME: z.string().default('.funnel'),
  FUNNEL_DATA: z.string().optional(),
  FUNNEL_SLOTS: z.coerce.number().int().min(1).optional(),
  FUNNEL_BACKEND: z.string().default('auto'),
  FUNNEL_LEASE_SECONDS: seconds(10),
  FUNNEL_MAX_ATTEMPTS: z.coerce.number().int().min(1).default(3),
  FUNNEL_DRAIN_SECONDS: seconds(10),
  FUNNEL_HANG_SECONDS: seconds(300),
  FUNNEL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
});
export type Env = z.infer<typeof Env>;

/** Throws a ZodError that names the wrong variables. An empty variable counts as not set. */
export const readEnv = (variables: NodeJS.ProcessEnv): Env =>
  Env.parse(Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')));

/** The environment as options of a worker. */
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
