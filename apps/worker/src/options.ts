import { backendChoices, slotLimit } from '@funnel/contracts';
import type { Abilities } from '@funnel/db';
import type { DataFolders } from '@funnel/engine';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { SimulationOptions } from './simulated-faults.ts';

export type WorkerOptions = {
  readonly databaseUrl: string;
  /** The address of PostgreSQL itself, if `databaseUrl` is of a pooler: for the queue. (Default: `databaseUrl`) */
  readonly directUrl?: string | undefined;
  /** `redis://…`, or `postgres://…` for a queue in PostgreSQL. (Default: `directUrl`) */
  readonly queueUrl?: string;
  /** A name for people. (Default: host name, process id and a random part) */
  readonly id?: string;
  /** FUNNEL_DATA and FUNNEL_HOME, the folders in which to look for data sets. (Default: the usual folders) */
  readonly folders?: DataFolders;
  /** Bytes of data sets that the machine keeps after it fetched them; the least recently used goes first. (Default: 16 GiB) */
  readonly cacheBytes?: number;
  /** The number of trainers. (Default: one per core, as many as memory holds, 8 at most) */
  readonly slots?: number;
  /** A backend's name, or `auto`. (Default: `auto`) */
  readonly backend?: string;
  /** Seconds without a heartbeat after which other workers may claim a stage. (Default: 10) */
  readonly leaseSeconds?: number;
  /** The number of failed attempts after which a stage has failed. (Default: 3) */
  readonly maxAttempts?: number;
  /** Seconds within which `stop` releases all stages. (Default: 10) */
  readonly drainSeconds?: number;
  /** Seconds that a trainer has to write the checkpoint of a pause; then the worker kills it. (Default: 4) */
  readonly stopSeconds?: number;
  /** Seconds without progress after which the worker kills a trainer; the attempt has then failed. (Default: 300) */
  readonly hangSeconds?: number;
  /** Bytes of memory above which the worker replaces a trainer between two stages. (Default: 1.5 GiB) */
  readonly memoryLimitBytes?: number;
  /** Seconds between two queries for work without a notification. (Default: 2) */
  readonly pollSeconds?: number;
  /** A collector of traces that speaks OTLP over HTTP, such as http://localhost:4318. (Default: no traces) */
  readonly tracesUrl?: string;
  /** Simulated training instead of tfjs, for tests of everything around training. */
  readonly simulation?: SimulationOptions;
  /** What the worker says that it has, instead of what it finds: for tests. (Default: what it finds) */
  readonly abilities?: Partial<Abilities>;
  /** When aborted, a worker that waits for the database stops waiting. */
  readonly signal?: AbortSignal;
  readonly log: Logger;
};

/** A timer of Node that waits for more than 24 days fires at once. */
const seconds = (value: number) => z.coerce.number().gt(0).max(86_400).default(value);

/** The worker's environment variables. .env.example explains each of them. */
export const Env = z.object({
  DATABASE_URL: z.string().min(1, 'Expected a postgres:// address'),
  DATABASE_DIRECT_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  FUNNEL_HOME: z.string().default('.funnel'),
  FUNNEL_DATA: z.string().optional(),
  FUNNEL_CACHE_BYTES: z.coerce.number().int().min(0).optional(),
  FUNNEL_SLOTS: z.coerce.number().int().min(1).max(slotLimit).optional(),
  FUNNEL_BACKEND: z.enum(backendChoices).default('auto'),
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
  directUrl: env.DATABASE_DIRECT_URL,
  queueUrl: env.REDIS_URL,
  folders: { dir: env.FUNNEL_DATA, home: env.FUNNEL_HOME },
  cacheBytes: env.FUNNEL_CACHE_BYTES,
  slots: env.FUNNEL_SLOTS,
  backend: env.FUNNEL_BACKEND,
  leaseSeconds: env.FUNNEL_LEASE_SECONDS,
  maxAttempts: env.FUNNEL_MAX_ATTEMPTS,
  drainSeconds: env.FUNNEL_DRAIN_SECONDS,
  hangSeconds: env.FUNNEL_HANG_SECONDS,
  tracesUrl: env.OTEL_EXPORTER_OTLP_ENDPOINT,
});
