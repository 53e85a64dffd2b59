/** The service: what it knows, what happens in it, what it frees, and whether it is well. */
import { z } from 'zod';
import { AuditEntry } from '../resources.ts';
import { Collection, RetentionPolicy } from '../retention.ts';
import { Id, page, pageOf } from './parameters.ts';
import type { Route } from './route.ts';

export const serviceRoutes = {
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
