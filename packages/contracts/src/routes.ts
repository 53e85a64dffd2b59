/**
 * Every route, declared once: the server registers them, OpenAPI and the typed client derive from them, and so does the access check.
 * `role` is the least role that may call it; `null` is open to all.
 */
import { z } from 'zod';
import { AttackName, EvaluationRecords } from './attacks.ts';
import { DatasetName } from './datasets.ts';
import type { ErrorCode } from './errors.ts';
import { EvaluationMetricName } from './metrics.ts';
import { usualMetricOf } from './objective.ts';
import { RecipeName } from './recipes/index.ts';
import {
  AuditEntry,
  Evaluation,
  LeaderboardRow,
  MetricSeries,
  Plan,
  Stage,
  StageLogLine,
  Sweep,
  SweepDetail,
  Trial,
  TrialDetail,
  Worker,
} from './resources.ts';
import { Collection, RetentionPolicy } from './retention.ts';
import { SweepStatus, TrialStatus } from './status.ts';
import { SweepDefinition } from './sweep.ts';

export const roles = ['read', 'submit', 'admin'] as const;
export type Role = (typeof roles)[number];

export type Route = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Fastify's notation: `:id`. */
  readonly url: string;
  readonly summary: string;
  readonly role: Role | null;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly headers?: z.ZodType;
  /** `text/event-stream` and binary routes have no schema: `produces` names their type. */
  readonly response?: z.ZodType;
  readonly produces?: string;
  readonly status?: 200 | 201 | 204;
  readonly errors: readonly ErrorCode[];
};

const Id = z.string().min(1).max(100);
const ById = z.strictObject({ id: Id });
/** Keyset paging: `cursor` is what the last page answered as `next`. */
const page = {
  limit: z.coerce.number<number | string>().int().min(1).max(1000).default(50),
  cursor: z.string().max(200).optional(),
};
const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() });
/** A query value given once or many times. */
const many = <T extends z.ZodType>(item: T) =>
  z
    .union([z.array(item).max(100), item.transform((value: z.output<T>): z.output<T>[] => [value])])
    .pipe(z.array(z.custom<z.output<T>>()))
    .default([]);

/** `gamma:5` or `beta:0.01..0.1` (both ends included): a knob and the values to keep. */
export const KnobFilter = z
  .string()
  .regex(/^[a-zA-Z]+:[^:]+$/, 'Expected knob:value or knob:min..max, such as gamma:1..5');

const LeaderboardQuery = z
  .strictObject({
    attack: AttackName.optional().meta({
      description: 'Rank by this attack; the worst case over all attacks of a trial when left out.',
    }),
    metric: EvaluationMetricName.optional().meta({
      description:
        'Rank by this. Unless said: robust accuracy, or for an attack that looks for the smallest change the median distance that it needs.',
    }),
    recipe: many(RecipeName),
    dataset: DatasetName.optional(),
    sweep: Id.optional(),
    where: many(KnobFilter),
    group: z
      .enum(['trial', 'configuration'])
      .default('trial')
      .meta({ description: '`configuration`: mean over seeds, with its interval.' }),
    masked: z
      .enum(['last', 'equal', 'hide'])
      .default('last')
      .meta({ description: 'Where runs with masked gradients rank.' }),
    ...page,
  })
  .transform((query) => ({ ...query, metric: query.metric ?? usualMetricOf(query.attack) }));
export type LeaderboardQuery = z.output<typeof LeaderboardQuery>;

const sweepAction = (action: string, summary: string) =>
  ({
    method: 'POST',
    url: `/v1/sweeps/:id/${action}`,
    summary,
    role: 'submit',
    params: ById,
    response: Sweep,
    errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  }) as const;

export const routes = {
  planSweep: {
    method: 'POST',
    url: '/v1/sweeps/plan',
    summary: 'What a sweep would do: trials, stages, epochs with and without sharing. Writes nothing.',
    role: 'read',
    body: SweepDefinition,
    response: Plan,
    errors: ['INVALID_REQUEST', 'MALFORMED_BODY', 'SWEEP_TOO_LARGE', 'CONTINUOUS_GRID'],
  },
  createSweep: {
    method: 'POST',
    url: '/v1/sweeps',
    summary:
      'Submit a sweep. With an Idempotency-Key the same request can be sent again and gives the same sweep.',
    role: 'submit',
    headers: z.looseObject({ 'idempotency-key': z.string().min(1).max(200).optional() }),
    body: SweepDefinition,
    response: SweepDetail,
    status: 201,
    errors: [
      'INVALID_REQUEST',
      'MALFORMED_BODY',
      'SWEEP_TOO_LARGE',
      'CONTINUOUS_GRID',
      'IDEMPOTENCY_CONFLICT',
    ],
  },
  listSweeps: {
    method: 'GET',
    url: '/v1/sweeps',
    summary: 'Sweeps, newest first.',
    role: 'read',
    query: z.strictObject({
      status: SweepStatus.optional(),
      search: z.string().max(200).optional(),
      ...page,
    }),
    response: pageOf(Sweep),
    errors: [],
  },
  getSweep: {
    method: 'GET',
    url: '/v1/sweeps/:id',
    summary: 'One sweep with its definition.',
    role: 'read',
    params: ById,
    response: SweepDetail,
    errors: ['NOT_FOUND'],
  },
  listTrials: {
    method: 'GET',
    url: '/v1/sweeps/:id/trials',
    summary: 'Trials of a sweep by number.',
    role: 'read',
    params: ById,
    query: z.strictObject({ status: TrialStatus.optional(), ...page }),
    response: pageOf(Trial),
    errors: ['NOT_FOUND'],
  },
  listStages: {
    method: 'GET',
    url: '/v1/sweeps/:id/stages',
    summary: 'The stage tree of a sweep.',
    role: 'read',
    params: ById,
    query: z.strictObject({ ...page }),
    response: pageOf(Stage),
    errors: ['NOT_FOUND'],
  },
  pauseSweep: sweepAction('pause', 'Stop after a checkpoint; nothing new starts.'),
  resumeSweep: sweepAction('resume', 'Go on from the checkpoints.'),
  cancelSweep: sweepAction('cancel', 'Stop what only this sweep needs. Finished results stay.'),
  retrySweep: sweepAction('retry', 'Give failed stages new attempts.'),
  deleteSweep: {
    method: 'DELETE',
    url: '/v1/sweeps/:id',
    summary: 'Delete a sweep that has ended, with its trials. Stages that other sweeps need stay.',
    role: 'submit',
    params: ById,
    status: 204,
    errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  },
  getTrial: {
    method: 'GET',
    url: '/v1/trials/:id',
    summary: 'One trial with its stages and evaluations.',
    role: 'read',
    params: ById,
    response: TrialDetail,
    errors: ['NOT_FOUND'],
  },
  getMetrics: {
    method: 'GET',
    url: '/v1/trials/:id/metrics',
    summary: 'Training curves of a trial, shared stages included.',
    role: 'read',
    params: ById,
    response: z.strictObject({ series: z.array(MetricSeries) }),
    errors: ['NOT_FOUND'],
  },
  getImages: {
    method: 'GET',
    url: '/v1/trials/:id/evaluations/:stage/images',
    summary: 'Per-image records of one evaluation, and the pictures of the first few.',
    role: 'read',
    params: z.strictObject({ id: Id, stage: Id }),
    response: EvaluationRecords.extend({
      /** Originals and attacked images of the first few records, bytes 0–255 in base64, `shape` each. */
      gallery: z.strictObject({
        shape: z.array(z.int()),
        index: z.array(z.int()),
        original: z.array(z.string()),
        attacked: z.array(z.string()),
      }),
    }),
    errors: ['NOT_FOUND'],
  },
  leaderboard: {
    method: 'GET',
    url: '/v1/leaderboard',
    summary: 'Which runs are the most robust, best first.',
    role: 'read',
    query: LeaderboardQuery,
    response: pageOf(LeaderboardRow),
    errors: ['INVALID_REQUEST'],
  },
  compare: {
    method: 'GET',
    url: '/v1/compare',
    summary: 'Two to six trials side by side.',
    role: 'read',
    query: z.strictObject({
      trials: z.string().max(1000).meta({ description: 'Trial ids, joined by commas.' }),
    }),
    response: z.strictObject({ trials: z.array(TrialDetail), differs: z.array(z.string()) }),
    errors: ['INVALID_REQUEST', 'NOT_FOUND'],
  },
  listWorkers: {
    method: 'GET',
    url: '/v1/workers',
    summary: 'Workers and what each runs.',
    role: 'read',
    response: z.strictObject({ items: z.array(Worker) }),
    errors: [],
  },
  getStage: {
    method: 'GET',
    url: '/v1/stages/:id',
    summary: 'One stage.',
    role: 'read',
    params: ById,
    response: Stage,
    errors: ['NOT_FOUND'],
  },
  getStageLog: {
    method: 'GET',
    url: '/v1/stages/:id/log',
    summary: 'What happened to a stage, oldest first: its attempts, their errors, and its epochs.',
    role: 'read',
    params: ById,
    response: z.strictObject({ items: z.array(StageLogLine) }),
    errors: ['NOT_FOUND'],
  },
  getEvaluation: {
    method: 'GET',
    url: '/v1/stages/:id/evaluation',
    summary: 'The evaluation of an attack stage.',
    role: 'read',
    params: ById,
    response: Evaluation,
    errors: ['NOT_FOUND'],
  },
  getModel: {
    method: 'GET',
    url: '/v1/checkpoints/:hash/:network/model.json',
    summary: 'A network as a TF.js layers model: open it with tf.loadLayersModel(url).',
    role: 'read',
    params: z.strictObject({ hash: Id, network: Id }),
    response: z.looseObject({
      format: z.literal('layers-model'),
      modelTopology: z.unknown(),
      weightsManifest: z.array(z.unknown()),
    }),
    errors: ['NOT_FOUND'],
  },
  getWeights: {
    method: 'GET',
    url: '/v1/checkpoints/:hash/:network/weights.bin',
    summary: 'Its weights, float32 little-endian.',
    role: 'read',
    params: z.strictObject({ hash: Id, network: Id }),
    produces: 'application/octet-stream',
    errors: ['NOT_FOUND'],
  },
  getSchema: {
    method: 'GET',
    url: '/v1/schema',
    summary: 'Knobs, recipes, data sets, attacks and metrics, for forms and pictures.',
    role: 'read',
    response: z.looseObject({}),
    errors: [],
  },
  events: {
    method: 'GET',
    url: '/v1/events',
    summary: 'Server-sent events; `?sweep=` keeps one sweep. Reconnect with Last-Event-ID.',
    role: 'read',
    query: z.strictObject({ sweep: Id.optional() }),
    headers: z.looseObject({
      'last-event-id': z
        .string()
        .regex(/^\d{1,18}-\d{1,18}$/, 'Expected the id of an event, such as 812-3304')
        .optional(),
    }),
    produces: 'text/event-stream',
    errors: ['NOT_FOUND', 'TOO_MANY_STREAMS'],
  },
  planCollection: {
    method: 'POST',
    url: '/v1/garbage/plan',
    summary: 'What a retention policy would free: checkpoints that no kept trial needs. Frees nothing.',
    role: 'read',
    body: RetentionPolicy,
    response: Collection,
    errors: ['INVALID_REQUEST', 'MALFORMED_BODY'],
  },
  collectGarbage: {
    method: 'POST',
    url: '/v1/garbage',
    summary:
      'Free the checkpoints that no kept trial needs. Metrics and evaluations stay. Call again until `done`.',
    role: 'admin',
    body: RetentionPolicy,
    response: Collection,
    errors: ['INVALID_REQUEST', 'MALFORMED_BODY'],
  },
  listAudit: {
    method: 'GET',
    url: '/v1/audit',
    summary: 'Who changed what, newest first.',
    role: 'admin',
    query: z.strictObject({ ...page }),
    response: pageOf(AuditEntry),
    errors: ['INVALID_REQUEST'],
  },
  getServiceMetrics: {
    method: 'GET',
    url: '/metrics',
    summary: 'Numbers about the service itself, in the text format of Prometheus.',
    role: 'read',
    produces: 'text/plain',
    errors: [],
  },
  getOpenApi: {
    method: 'GET',
    url: '/openapi.json',
    summary: 'This description, as OpenAPI 3.1.',
    role: null,
    response: z.looseObject({ openapi: z.string() }),
    errors: [],
  },
  health: {
    method: 'GET',
    url: '/healthz',
    summary: 'The process answers.',
    role: null,
    response: z.strictObject({ status: z.literal('ok') }),
    errors: [],
  },
  ready: {
    method: 'GET',
    url: '/readyz',
    summary: 'Database and queue answer.',
    role: null,
    response: z.strictObject({ status: z.literal('ok'), database: z.literal('ok'), queue: z.literal('ok') }),
    errors: ['UNAVAILABLE'],
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
