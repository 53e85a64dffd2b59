/** The one table of error codes: status, title, and what to do. `application/problem+json` bodies are made from it (RFC 9457). */
import { z } from 'zod';

export const errors = {
  INVALID_REQUEST: {
    status: 400,
    title: 'The request does not match what this route takes',
    hint: 'See `issues`: each names a path, what was expected and what came.',
  },
  MALFORMED_BODY: {
    status: 400,
    title: 'The body is not JSON or YAML',
    hint: 'Send application/json or application/yaml.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'This content type is not taken',
    hint: 'Send application/json or application/yaml.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    hint: 'Split the sweep, or use ranges instead of lists.',
  },
  SWEEP_TOO_LARGE: {
    status: 422,
    title: 'The sweep has too many trials',
    hint: 'Narrow the space, or use random search with a number of trials.',
  },
  CONTINUOUS_GRID: {
    status: 422,
    title: 'A grid cannot walk a continuous range',
    hint: 'Give the range a step or a count, or use random search.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'A token is needed',
    hint: 'Send `Authorization: Bearer <token>`; make one with `npx funnel token create NAME`.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'The token’s role does not allow this',
    hint: 'Use a token with the role that the message names.',
  },
  HOST_NOT_ALLOWED: {
    status: 421,
    title: 'This service is not called by that name',
    hint: 'Use localhost or the address it listens on, or name the host in FUNNEL_ALLOWED_HOSTS.',
  },
  CROSS_ORIGIN: {
    status: 403,
    title: 'Another site may not change anything here',
    hint: 'Call from the dashboard itself, or without an Origin header.',
  },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route', hint: 'See /docs.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This route does not take that method',
    hint: 'See the Allow header, or /docs.',
  },
  NOT_FOUND: { status: 404, title: 'There is no such thing', hint: 'Check the id.' },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    title: 'This Idempotency-Key was used with another body',
    hint: 'Use a new key for a new request.',
  },
  INVALID_TRANSITION: {
    status: 409,
    title: 'That cannot be done in this status',
    hint: 'See `status` of the thing.',
  },
  RATE_LIMITED: { status: 429, title: 'Too many requests', hint: 'Wait as long as Retry-After says.' },
  TOO_MANY_OWN_STREAMS: {
    status: 429,
    title: 'Too many clients are watching with this token',
    hint: 'Close some, give programs tokens of their own, or raise FUNNEL_MAX_STREAMS_PER_TOKEN.',
  },
  TOO_MANY_STREAMS: {
    status: 503,
    title: 'Too many clients are watching',
    hint: 'Close some, or raise FUNNEL_MAX_STREAMS.',
  },
  UNAVAILABLE: { status: 503, title: 'A part that this needs is not reachable', hint: 'See /readyz.' },
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
    title: 'A fault of the service',
    hint: 'Its log has the details under this request id.',
  },
  DATASET_MISSING: {
    status: 422,
    title: 'The data set is not on this machine',
    hint: 'Run `npx funnel data get`, or set FUNNEL_DATA.',
  },
  DATASET_CORRUPT: {
    status: 422,
    title: 'A file of the data set is not what it should be',
    hint: 'Delete the file and run `npx funnel data get`.',
  },
  ATTACK_INPUT: {
    status: 422,
    title: 'The model, the images or the labels cannot be attacked as given',
    hint: 'Give logits (no softmax), images in the bounds and of the input shape, and labels below the number of classes.',
  },
  BACKEND_UNUSABLE: {
    status: 422,
    title: 'This backend cannot be used here',
    hint: 'Run `npx funnel doctor`.',
  },
  STALE_LEASE: {
    status: 409,
    title: 'The stage has been given to another attempt',
    hint: 'Nothing to do: the write was refused, the other attempt goes on.',
  },
} as const satisfies Record<string, { status: number; title: string; hint: string }>;

export type ErrorCode = keyof typeof errors;

/** An error that a person can act on. `message` says what was expected and what came. */
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
