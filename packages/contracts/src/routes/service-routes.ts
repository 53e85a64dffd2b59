/** The work itself: who does it, its stages, and the networks that it left. */
import { z } from 'zod';
import { AuditEntry, Evaluation, Stage, StageLogLine, Worker } from '../resources.ts';
import { Collection, RetentionPolicy } from '../retention.ts';
import { ById, Id, page, pageOf, type Route } from './route.ts';

export const serviceRoutes = {
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
    summary: 'Hyperparameters, recipes, data sets, attacks and metrics, for forms and pictures.',
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
    errors: ['NOT_FOUND', 'TOO_MANY_OWN_STREAMS', 'TOO_MANY_STREAMS'],
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
    summary: 'Database and queue answer, and the database has the schema of this version.',
    role: null,
    response: z.strictObject({ status: z.literal('ok'), database: z.literal('ok'), queue: z.literal('ok') }),
    errors: ['UNAVAILABLE', 'SCHEMA_MISMATCH'],
  },
} as const satisfies Record<string, Route>;
