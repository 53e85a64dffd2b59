/**
 * All error codes, each with HTTP status, title and a hint for the user. The API makes its `application/problem+json` bodies (RFC 9457)
 * from this table.
 */
import { z } from 'zod';

export const errors = {
  INVALID_REQUEST: {
    status: 400,
    title: 'The request does not match the schema of this route',
    hint: 'See `issues`: each gives a path, the expected value and the received value.',
  },
  MALFORMED_BODY: {
    status: 400,
    title: 'The body is not JSON or YAML',
    hint: 'Send application/json or application/yaml.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'This content type is not supported',
    hint: 'Send application/json or application/yaml.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    hint: 'Split the sweep, or use ranges instead of lists. A chunk of a data set has at most 4 MiB.',
  },
  SWEEP_TOO_LARGE: {
    status: 422,
    title: 'The sweep is too large',
    hint: 'Narrow the space, or use random search with a number of trials.',
  },
  CONTINUOUS_GRID: {
    status: 422,
    title: 'A grid cannot contain a continuous range',
    hint: 'Give the range a step or a count, or use random search.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'The token is missing or wrong',
    hint: 'Send `Authorization: Bearer <token>`; make one with `npx funnel token create NAME`.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'The token’s role does not allow this',
    hint: 'Use a token with the role that the message names.',
  },
  HOST_NOT_ALLOWED: {
    status: 421,
    title: 'This service does not answer to that host name',
    hint: 'Use localhost or the address that the service listens on, or add the host to FUNNEL_ALLOWED_HOSTS.',
  },
  CROSS_ORIGIN: {
    status: 403,
    title: 'Requests from other sites are refused',
    hint: 'Use the dashboard itself, or send no Origin header.',
  },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route', hint: 'See /docs.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This route does not support that method',
    hint: 'See the Allow header, or /docs.',
  },
  NOT_FOUND: { status: 404, title: 'Not found', hint: 'Check the id.' },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    title: 'This Idempotency-Key was used with another body',
    hint: 'Use a new key for a new request.',
  },
  INVALID_TRANSITION: {
    status: 409,
    title: 'The current status does not allow this',
    hint: 'Look at the `status` of the sweep.',
  },
  RATE_LIMITED: { status: 429, title: 'Too many requests', hint: 'Wait as long as Retry-After says.' },
  TOO_MANY_OWN_STREAMS: {
    status: 429,
    title: 'This token has too many event streams open',
    hint: 'Close some, give each program its own token, or raise FUNNEL_MAX_STREAMS_PER_TOKEN.',
  },
  TOO_MANY_OWN_PLANS: {
    status: 429,
    title: 'This token or address plans too many sweeps at once',
    hint: 'Wait as long as Retry-After says, or raise FUNNEL_MAX_PLANS_PER_TOKEN.',
  },
  TOO_MANY_OWN_SUBMISSIONS: {
    status: 429,
    title: 'Too many submissions of this token or address are unfinished',
    hint: 'Wait until some are written, withdraw some (`npx funnel submissions`), or raise FUNNEL_MAX_SUBMISSIONS_PER_TOKEN.',
  },
  TOO_MANY_OWN_SWEEPS: {
    status: 403,
    title: 'Too many sweeps of this token or address have not ended',
    hint: 'Wait until some have ended, cancel some, or raise FUNNEL_MAX_SWEEPS_PER_TOKEN.',
  },
  TOO_MANY_OWN_BYTES: {
    status: 403,
    title: 'The sweeps of this token or address store too many bytes',
    hint: 'Delete checkpoints (`npx funnel gc`) or sweeps, submit a smaller sweep, or raise FUNNEL_MAX_BYTES_PER_TOKEN.',
  },
  TOO_MANY_STREAMS: {
    status: 503,
    title: 'Too many event streams are open',
    hint: 'Close some, or raise FUNNEL_MAX_STREAMS.',
  },
  UNAVAILABLE: { status: 503, title: 'The database or the queue cannot be reached', hint: 'See /readyz.' },
  STORAGE_FULL: {
    status: 507,
    title: 'The database has no room left',
    hint: 'Free disk space, or run `npx funnel gc`.',
  },
  SCHEMA_MISMATCH: {
    status: 503,
    title: 'This version of Funnel cannot use the database',
    hint: 'Run the newest version that has used this database: migrations only go forward, and applied ones never change.',
  },
  INTERNAL: {
    status: 500,
    title: 'Internal error',
    hint: 'Look for this request id in the log of the API.',
  },
  DATASET_UNKNOWN: {
    status: 422,
    title: 'The service has no such data set',
    hint: 'Add it with `npx funnel data add my-images PATH`. `npx funnel data ls` lists the data sets.',
  },
  DATASET_TOO_LARGE: {
    status: 413,
    title: 'The data set is too large',
    hint: 'Take fewer or smaller images, or ask an operator to raise the limit that the message names.',
  },
  TOO_MANY_DATASETS: {
    status: 403,
    title: 'There is no room for this data set',
    hint: 'Remove a data set with `npx funnel data rm NAME` and then `npx funnel gc --yes`, or ask an operator to raise the limit.',
  },
  NAME_TAKEN: {
    status: 409,
    title: 'This name stands for another data set',
    hint: 'Take another name, or remove this one first with `npx funnel data rm NAME`.',
  },
  DATASET_MISSING: {
    status: 422,
    title: 'The data set is not on this machine',
    hint: 'Run `npx funnel data get`, or set FUNNEL_DATA.',
  },
  DATASET_CORRUPT: {
    status: 422,
    title: 'The data set is corrupt',
    hint: 'Delete the file and run `npx funnel data get`.',
  },
  ATTACK_INPUT: {
    status: 422,
    title: 'The attack cannot use this model, these images or these labels',
    hint: 'Give a model that returns logits (no softmax), images within the bounds and of the input shape, and labels below the number of classes.',
  },
  BACKEND_UNUSABLE: {
    status: 422,
    title: 'This backend cannot be used here',
    hint: 'Run `npx funnel doctor`.',
  },
  STALE_LEASE: {
    status: 409,
    title: 'Another attempt has the lease of the stage',
    hint: 'You need not do anything: the database refused the write, and the other attempt continues.',
  },
} as const satisfies Record<string, { status: number; title: string; hint: string }>;

export type ErrorCode = keyof typeof errors;

/** An error that a user can act on. `message` gives the expected and the received value. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(
    code: ErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

export const ProblemIssue = z.strictObject({ path: z.string(), expected: z.string(), received: z.string() });
export type ProblemIssue = z.infer<typeof ProblemIssue>;

export const Problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errors) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    hint: z.string(),
    instance: z.string().optional(),
    issues: z.array(ProblemIssue).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
