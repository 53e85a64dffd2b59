/**
 * Every limit of the service and of downloads, declared once. The API's variables, the answer of `GET /v1/limits` and the table in
 * docs/operations.md derive from this table. A *client* is a token, or an address while no token is needed.
 */
import { z } from 'zod';
import type { ErrorCode } from './errors.ts';

export const limitUnits = ['bytes', 'seconds', 'number'] as const;

export type Limit = {
  /** The environment variable of the API that sets it; null: it is fixed. */
  readonly variable: `FUNNEL_${string}` | null;
  readonly unit: (typeof limitUnits)[number];
  /** Null: it depends on other settings, as `text` says. */
  readonly default: number | null;
  /** The largest value that an operator may set. (Default: no bound; 86,400 for seconds) */
  readonly max?: number;
  /** What is limited, and if that is not clear, per what. */
  readonly text: string;
  /** The code of the answer beyond it; null: `otherwise` says what happens. */
  readonly code: ErrorCode | null;
  readonly otherwise?: string;
};

const declared = {
  bodyBytes: {
    variable: 'FUNNEL_MAX_BODY_BYTES',
    unit: 'bytes',
    default: 2 ** 20,
    text: 'a JSON body. A YAML body may have a sixteenth of it',
    code: 'BODY_TOO_LARGE',
  },
  requestsPerMinute: {
    variable: 'FUNNEL_RATE_LIMIT',
    unit: 'number',
    default: null,
    text: 'requests of one address, and of one token, in each minute, per API process. Default: 3,000, and 120,000 on loopback',
    code: 'RATE_LIMITED',
  },
  streams: {
    variable: 'FUNNEL_MAX_STREAMS',
    unit: 'number',
    default: 500,
    text: 'open streams of `/v1/events`, per API process',
    code: 'TOO_MANY_STREAMS',
  },
  ownStreams: {
    variable: 'FUNNEL_MAX_STREAMS_PER_TOKEN',
    unit: 'number',
    default: null,
    text: 'open streams of one token; no limit while no token is needed. Default: a quarter of FUNNEL_MAX_STREAMS, but at least 8',
    code: 'TOO_MANY_OWN_STREAMS',
  },
  ownPlans: {
    variable: 'FUNNEL_MAX_PLANS_PER_TOKEN',
    unit: 'number',
    default: 2,
    text: 'plans of one client at a time, per API process. Further ones wait up to 3 s',
    code: 'TOO_MANY_OWN_PLANS',
  },
  ownSubmissions: {
    variable: 'FUNNEL_MAX_SUBMISSIONS_PER_TOKEN',
    unit: 'number',
    default: 20,
    text: 'submissions of one client that wait or run',
    code: 'TOO_MANY_OWN_SUBMISSIONS',
  },
  ownSweeps: {
    variable: 'FUNNEL_MAX_SWEEPS_PER_TOKEN',
    unit: 'number',
    default: 100,
    text: 'sweeps of one client that are running or paused',
    code: 'TOO_MANY_OWN_SWEEPS',
  },
  ownBytes: {
    variable: 'FUNNEL_MAX_BYTES_PER_TOKEN',
    unit: 'bytes',
    default: 20 * 2 ** 40,
    text: 'checkpoints that the sweeps of one client have stored, and may store until they end',
    code: 'TOO_MANY_OWN_BYTES',
  },
  planSeconds: {
    variable: 'FUNNEL_PLAN_SECONDS',
    unit: 'seconds',
    default: 10,
    max: 100,
    text: 'the answer to one plan or one body, from its arrival on. Waiting for other plans counts',
    code: 'SWEEP_TOO_LARGE',
  },
  planningSeconds: {
    variable: 'FUNNEL_PLANNING_SECONDS',
    unit: 'seconds',
    default: 10,
    max: 100,
    text: 'computing for the plan of one sweep, also of a submission. Time in the database does not count',
    code: 'SWEEP_TOO_LARGE',
  },
  planningBytes: {
    variable: null,
    unit: 'bytes',
    default: 2 ** 30,
    text: 'memory of a process that plans one sweep or reads one body',
    code: 'SWEEP_TOO_LARGE',
  },
  trainerBytes: {
    variable: 'FUNNEL_MAX_TRAINER_BYTES',
    unit: 'bytes',
    default: 2 ** 32,
    text: 'memory of a trainer: weights, gradients, Adam’s moments, the values of a batch',
    code: 'SWEEP_TOO_LARGE',
  },
  storedBytes: {
    variable: 'FUNNEL_MAX_SWEEP_BYTES',
    unit: 'bytes',
    default: 20 * 2 ** 40,
    text: 'what one sweep stores: checkpoints, records of images, rows',
    code: 'SWEEP_TOO_LARGE',
  },
  attackQueries: {
    variable: 'FUNNEL_MAX_ATTACK_QUERIES',
    unit: 'number',
    default: 1e11,
    text: 'queries of one attack on one classifier',
    code: 'SWEEP_TOO_LARGE',
  },
  trials: {
    variable: null,
    unit: 'number',
    default: 100_000,
    text: 'trials of one sweep',
    code: 'SWEEP_TOO_LARGE',
  },
  stages: {
    variable: null,
    unit: 'number',
    default: 1_000_000,
    text: 'stages of one sweep: as many as 100,000 trials with ten attacks need',
    code: 'SWEEP_TOO_LARGE',
  },
  datasetBytes: {
    variable: 'FUNNEL_MAX_DATASET_BYTES',
    unit: 'bytes',
    default: 4 * 2 ** 30,
    text: 'one data set in canonical form',
    code: 'DATASET_TOO_LARGE',
  },
  ownDatasetBytes: {
    variable: 'FUNNEL_MAX_DATASETS_BYTES',
    unit: 'bytes',
    default: 64 * 2 ** 30,
    text: 'all data sets that one token has added, or, while no token is needed, that anybody has added',
    code: 'TOO_MANY_DATASETS',
  },
  ownUploads: {
    variable: 'FUNNEL_MAX_UPLOADS_PER_TOKEN',
    unit: 'number',
    default: 5,
    text: 'unfinished uploads of data sets from one token, or, while no token is needed, from anybody',
    code: 'TOO_MANY_DATASETS',
  },
  ownDatasetNames: {
    variable: 'FUNNEL_MAX_DATASETS_PER_TOKEN',
    unit: 'number',
    default: 200,
    text: 'names of data sets that one token has given, or, while no token is needed, that anybody has given',
    code: 'TOO_MANY_DATASETS',
  },
  arrayBytes: {
    variable: null,
    unit: 'bytes',
    default: 2 ** 28,
    text: 'the two arrays of `POST /v1/datasets/:name/arrays`. Larger data sets come in chunks',
    code: 'BODY_TOO_LARGE',
  },
  arrayImages: {
    variable: null,
    unit: 'number',
    default: 2 ** 22,
    text: 'images in these arrays',
    code: 'INVALID_REQUEST',
  },
  datasetNames: {
    variable: null,
    unit: 'number',
    default: 1000,
    text: 'names of data sets, of all tokens together',
    code: 'TOO_MANY_DATASETS',
  },
  byteBodies: {
    variable: null,
    unit: 'number',
    default: 3,
    text: 'chunks of data sets in memory at a time, of 4 MiB each, per API process. One client may have all but one of them',
    code: null,
    otherwise: 'the next one waits in the socket of its client',
  },
  connections: {
    variable: null,
    unit: 'number',
    default: 2000,
    text: 'connections besides those of `/v1/events`, per API process',
    code: null,
    otherwise: 'the connection is closed',
  },
  ownConnections: {
    variable: 'FUNNEL_MAX_CONNECTIONS_PER_ADDRESS',
    unit: 'number',
    default: null,
    text: 'connections of one address, also those of `/v1/events`, per API process. Default: a quarter of all; on loopback all streams and half of the others; behind a trusted proxy all',
    code: null,
    otherwise: 'the connection is closed',
  },
  arrivalSeconds: {
    variable: null,
    unit: 'seconds',
    default: 30,
    text: 'the arrival of a whole request',
    code: null,
    otherwise: 'the answer is 408',
  },
  headerBytes: {
    variable: null,
    unit: 'bytes',
    default: 16 * 1024,
    text: 'the headers and the URL of a request',
    code: null,
    otherwise: 'the answer is 431',
  },
  answerSeconds: {
    variable: null,
    unit: 'seconds',
    default: 15,
    text: 'any answer, except for event streams and `POST /v1/garbage` and `POST /v1/garbage/plan` (45 s)',
    code: 'UNAVAILABLE',
  },
  idleSeconds: {
    variable: null,
    unit: 'seconds',
    default: 60,
    text: 'a connection on which nothing moves: a client that does not read its answer',
    code: null,
    otherwise: 'the connection is closed',
  },
  downloadIdleSeconds: {
    variable: null,
    unit: 'seconds',
    default: 5,
    text: 'the wait for the next bytes of a data set, from one mirror',
    code: null,
    otherwise: 'the next mirror is tried',
  },
  downloadSeconds: {
    variable: null,
    unit: 'seconds',
    default: 600,
    text: 'the download of one file of a data set from one mirror',
    code: null,
    otherwise: 'the next mirror is tried',
  },
  downloadExtraBytes: {
    variable: null,
    unit: 'bytes',
    default: 64 * 1024,
    text: 'a compressed file of a data set, beyond its declared size after decompression. Decompression stops at the declared size',
    code: null,
    otherwise: 'the next mirror is tried',
  },
  modelTopologyBytes: {
    variable: null,
    unit: 'bytes',
    default: 64 * 2 ** 20,
    text: 'the model.json of a model, from a file or an address',
    code: 'ATTACK_INPUT',
  },
  modelWeightBytes: {
    variable: null,
    unit: 'bytes',
    default: 2 ** 31,
    text: 'all weights of a model together',
    code: 'ATTACK_INPUT',
  },
  modelIdleSeconds: {
    variable: null,
    unit: 'seconds',
    default: 30,
    text: 'the wait for the next bytes of a model',
    code: 'ATTACK_INPUT',
  },
  modelSeconds: {
    variable: null,
    unit: 'seconds',
    default: 1800,
    text: 'the download of one file of a model',
    code: 'ATTACK_INPUT',
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof declared;
export const limitNames = Object.keys(declared) as LimitName[];

/** Every limit by its name. */
export const limits: Readonly<Record<LimitName, Limit>> = declared;

type Settable = { [K in LimitName]: (typeof declared)[K]['variable'] extends string ? K : never }[LimitName];
type Fixed = Exclude<LimitName, Settable>;
type VariableName = (typeof declared)[Settable]['variable'];

/** The value of a limit that nobody can set. */
export const fixedLimit = (name: Fixed): number => declared[name].default;

/** The values of all limits that an operator can set. */
export type ServiceLimits = Readonly<Record<Settable, number>>;

const settable = limitNames.filter((name): name is Settable => limits[name].variable !== null);

const schemaOf = ({ unit, max }: Limit) =>
  unit === 'seconds'
    ? z.coerce
        .number()
        .gt(0)
        .max(max ?? 86_400) // a timer of Node that waits for more than 24 days fires at once
    : z.coerce.number().int().min(1);

const withDefault = (limit: Limit): z.ZodType<number | undefined> =>
  limit.default === null ? schemaOf(limit).optional() : schemaOf(limit).default(limit.default);

/** The schema of each variable. An absent one has its default, or none if this depends on other settings. */
export const limitVariables = Object.fromEntries(
  settable.map((name) => [limits[name].variable, withDefault(limits[name])]),
) as Record<VariableName, z.ZodType<number | undefined>>;

/** The limits that these variables set. */
export const readLimits = (
  variables: {
    readonly [K in VariableName]?: number | undefined;
  },
): Partial<ServiceLimits> =>
  Object.fromEntries(
    settable.flatMap((name) => {
      const value = variables[declared[name].variable];
      return value === undefined ? [] : [[name, value]];
    }),
  );

export type LimitConditions = {
  /** Whether only this machine can reach the service. (Default: true) */
  readonly isLoopback?: boolean;
  /** Whether all connections come from a proxy. (Default: false) */
  readonly trustsProxy?: boolean;
};

/** The connections of a process in total. */
export const allConnections = ({ streams }: Pick<ServiceLimits, 'streams'>): number =>
  streams + declared.connections.default;

/**
 * The connections of one address. On loopback every dashboard, script and benchmark has the same address, so it may have all streams, and half
 * of the other connections; the rest is for the programs that did not take too many. Behind a proxy the only address is the proxy's.
 */
const connectionsOfAddress = (streams: number, { isLoopback, trustsProxy }: Required<LimitConditions>) => {
  if (trustsProxy) return allConnections({ streams });
  if (isLoopback) return streams + declared.connections.default / 2;
  return Math.floor(allConnections({ streams }) / 4);
};

/** All limits: `given`, and defaults for the rest. On loopback all requests come from one machine, so many of them are no abuse. */
export const completeLimits = (
  given: Partial<ServiceLimits>,
  { isLoopback = true, trustsProxy = false }: LimitConditions = {},
): ServiceLimits => {
  const streams = given.streams ?? declared.streams.default;
  const dependent = {
    requestsPerMinute: isLoopback ? 120_000 : 3000,
    ownConnections: connectionsOfAddress(streams, { isLoopback, trustsProxy }),
    // Enough for a person with some open pages and a few scripts.
    ownStreams: Math.max(8, Math.floor(streams / 4)),
  };
  const defaults = Object.fromEntries(settable.map((name) => [name, limits[name].default]));
  return { ...(defaults as ServiceLimits), ...dependent, ...given };
};

export const defaultLimits: ServiceLimits = completeLimits({});

/** The limits of one sweep. */
export type SweepLimits = Pick<ServiceLimits, 'trainerBytes' | 'storedBytes' | 'attackQueries'>;
/** The limits of uploads. */
export type DatasetLimits = Pick<
  ServiceLimits,
  'datasetBytes' | 'ownDatasetBytes' | 'ownUploads' | 'ownDatasetNames'
>;
/** The limits of one client. */
export type ClientLimits = Pick<ServiceLimits, 'ownSubmissions' | 'ownSweeps' | 'ownBytes'>;

/** What a user or an operator can do at a limit: the variable that raises it. */
export const variableOf = (name: Settable): VariableName => declared[name].variable;

/** One limit of a running service, and how much of it the caller uses. */
export const LimitState = z
  .strictObject({
    name: z.enum(limitNames as [LimitName, ...LimitName[]]),
    value: z.number(),
    unit: z.enum(limitUnits),
    variable: z.string().nullable().meta({ description: 'The variable of the API that sets it.' }),
    text: z.string(),
    used: z.number().nullable().meta({
      description: 'How much of it the caller uses now; null for a limit that is not counted per caller.',
    }),
  })
  .meta({ id: 'LimitState' });
export type LimitState = z.infer<typeof LimitState>;
