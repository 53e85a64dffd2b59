/** Routes for workers, stages and networks, and for the service itself. */
import { z } from 'zod';
import { LimitState } from '../limits.ts';
import { AuditEntry } from '../resources/audit.ts';
import { Stage, StageLogLine, WorkerLogLine } from '../resources/stages.ts';
import { Evaluation } from '../resources/trials.ts';
import { Worker } from '../resources/workers.ts';
import { Collection, RetentionPolicy } from '../retention.ts';
import { ById, Id, page, pageOf, type Route } from './route.ts';

export const serviceRoutes = {
  listWorkers: {
    method: 'GET',
    url: '/v1/workers',
    summary: 'Workers, and the stages that each runs.',
    role: 'read',
    response: z.strictObject({ items: z.array(Worker) }),
    errors: [],
  },
  getWorkerLog: {
    method: 'GET',
    url: '/v1/workers/:id/log',
    summary:
      'The log of a worker, oldest first: the starts and ends of its newest 200 attempts, and their errors.',
    role: 'read',
    params: ById,
    response: z.strictObject({ items: z.array(WorkerLogLine) }),
    errors: ['NOT_FOUND'],
  },
  restoreWorker: {
    method: 'POST',
    url: '/v1/workers/:id/restore',
    summary: 'Use a worker again that was set aside or has handed stages back.',
    role: 'admin',
    params: ById,
    response: Worker,
    errors: ['NOT_FOUND'],
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
    summary: 'The log of a stage, oldest first: its attempts, their errors, and its epochs.',
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
    summary: 'The weights of a network, float32 little-endian.',
    role: 'read',
    params: z.strictObject({ hash: Id, network: Id }),
    produces: 'application/octet-stream',
    errors: ['NOT_FOUND'],
  },
  getSchema: {
    method: 'GET',
    url: '/v1/schema',
    summary: 'Hyperparameters, recipes, data sets, attacks and metrics, for forms and plots.',
    role: 'read',
    response: z.looseObject({}),
    errors: [],
  },
  listLimits: {
    method: 'GET',
    url: '/v1/limits',
    summary: 'The limits of this service, and how much of each the caller uses.',
    role: 'read',
    response: z.strictObject({ items: z.array(LimitState) }),
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
    summary:
      'The checkpoints that a retention policy would delete, because no kept trial needs them. Deletes nothing.',
    role: 'read',
    body: RetentionPolicy,
    response: Collection,
    seconds: 45,
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
    seconds: 45,
    errors: ['INVALID_REQUEST', 'MALFORMED_BODY'],
  },
  listAudit: {
    method: 'GET',
    url: '/v1/audit',
    summary: 'The audit log, newest first.',
    role: 'admin',
    query: z.strictObject({ ...page }),
    response: pageOf(AuditEntry),
    errors: ['INVALID_REQUEST'],
  },
  getServiceMetrics: {
    method: 'GET',
    url: '/metrics',
    summary: 'Metrics of the service, in the text format of Prometheus.',
    role: 'read',
    produces: 'text/plain',
    errors: [],
  },
  getOpenApi: {
    method: 'GET',
    url: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document.',
    role: null,
    response: z.looseObject({ openapi: z.string() }),
    errors: [],
  },
  health: {
    method: 'GET',
    url: '/healthz',
    summary: 'Answers while the process runs.',
    role: null,
    response: z.strictObject({ status: z.literal('ok') }),
    errors: [],
  },
  ready: {
    method: 'GET',
    url: '/readyz',
    summary: 'Answers `ok` if database and queue answer and the database has the schema of this version.',
    role: null,
    response: z.strictObject({ status: z.literal('ok'), database: z.literal('ok'), queue: z.literal('ok') }),
    errors: ['UNAVAILABLE', 'SCHEMA_MISMATCH'],
  },
} as const satisfies Record<string, Route>;
