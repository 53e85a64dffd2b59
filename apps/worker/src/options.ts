import type { DataPlaces } from '@funnel/engine';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { SimulationOptions } from './simulated-faults.ts';

export type WorkerOptions = {
  readonly databaseUrl: string;
  /** `redis://…`, or `postgres://…` for the queue beside the data. (Default: `databaseUrl`) */
  readonly queueUrl?: string;
  /** A name for people. (Default: host name, process id and a random part) */
  readonly id?: string;
  /** What FUNNEL_DATA and FUNNEL_HOME name: where data sets are looked for. (Default: the usual places) */
  readonly places?: DataPlaces;
  /** Trainers. (Default: one per core, as many as memory holds, 8 at most) */
  readonly slots?: number;
  /** A backend's name, or `auto`. (Default: `auto`) */
  readonly backend?: string;
  /** After so long without a heartbeat a stage is given to others. (Default: 10) */
  readonly leaseSeconds?: number;
  /** A stage fails for good after so many failed attempts. (Default: 3) */
  readonly maxAttempts?: number;
  /** Everything is handed back within this time after `stop`. (Default: 10) */
  readonly drainSeconds?: number;
  /** How long a trainer may take for the checkpoint of a pause before it is killed. (Default: 4) */
  readonly stopSeconds?: number;
  /** A trainer without progress for so long is killed, and its attempt has failed. (Default: 300) */
  readonly hangSeconds?: number;
  /** A trainer that holds more is replaced between stages. (Default: 1.5 GiB) */
  readonly memoryLimitBytes?: number;
  /** Seconds between looks for work that no ring announced. (Default: 2) */
  readonly pollSeconds?: number;
  /** A collector of traces that speaks OTLP over HTTP, such as http://localhost:4318. (Default: no traces) */
  readonly tracesUrl?: string;
  /** Pseudo training with known outcomes instead of tfjs: for tests of everything around training. */
  readonly simulation?: SimulationOptions;
  /** Aborted: a worker that waits for its database waits no longer. */
  readonly signal?: AbortSignal;
  readonly log: Logger;
};

/** What a worker is told by its environment. Every variable stands in .env.example. */

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
