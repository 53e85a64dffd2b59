/**
 * Every error answer is `application/problem+json` (RFC 9457), made from the table of errors in contracts. Clients never get a stack; the
 * log gets the whole error.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  AppError,
  type ErrorCode,
  errors,
  escapeControlsInLines,
  formatAmount,
  type Problem,
  ProblemIssue,
  type Route,
  routes,
  variableOf,
} from '@funnel/contracts';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { z } from 'zod';
import { setAnswerHeaders } from './answer-headers.ts';
import type { BodyLimits } from './request/bodies.ts';

/** The code for one of Fastify's own errors. */
const frameworkCode = (code: string, status: number): ErrorCode => {
  if (status === 413) return 'BODY_TOO_LARGE';
  if (status === 415) return 'UNSUPPORTED_MEDIA_TYPE';
  if (code.startsWith('FST_ERR_CTP')) return 'MALFORMED_BODY';
  return 'INVALID_REQUEST';
};

/** The hint of a route whose body is bytes. */
export const bytesHint = 'Send application/octet-stream.';

/** What a message about the body says of its request. */
type Sent = {
  readonly contentType?: string | undefined;
  /** The header content-length. */
  readonly length?: string | undefined;
  readonly limits?: BodyLimits | undefined;
  /** The body of the route is bytes. */
  readonly takesBytes?: boolean;
};

/** The message for one of Fastify's own errors. Ours replaces a message that does not say what was expected and what came. */
const frameworkMessage = (
  code: ErrorCode,
  error: Error,
  { contentType, length, limits, takesBytes }: Sent,
): string => {
  if (code === 'UNSUPPORTED_MEDIA_TYPE') {
    const expected = takesBytes ? 'application/octet-stream' : 'application/json or application/yaml';
    return `Expected ${expected}, but got ${contentType?.slice(0, 100) || 'no content type'}`;
  }
  if (code === 'BODY_TOO_LARGE' && limits) {
    const [json, yaml] = [limits.jsonBytes, limits.yamlBytes].map(formatAmount);
    const got = length === undefined ? 'more' : formatAmount(Number(length));
    return `Expected at most ${json} bytes of JSON (${variableOf('bodyBytes')}), or ${yaml} bytes of YAML, but got ${got}`;
  }
  return error.message;
};

/**
 * Errors of Fastify and Node carry a status and a code; those of the plugin that serves files carry a status alone. Null for all other errors,
 * and for status 500: these are our own faults.
 */
const fromFramework = (error: unknown, sent: Sent): AppError | null => {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  const { statusCode: status } = error;
  if (typeof status !== 'number' || status < 400 || status >= 500) return null;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code !== 'string')
    return new AppError(
      'INVALID_REQUEST',
      'Expected an address that a page can have, but got one with a NUL character or a malformed one',
      {},
      { cause: error },
    );
  const appCode = frameworkCode(code, status);
  const details = appCode === 'UNSUPPORTED_MEDIA_TYPE' && sent.takesBytes ? { hint: bytesHint } : {};
  return new AppError(appCode, frameworkMessage(appCode, error, sent), details, { cause: error });
};

/** `error` as an AppError; an unknown error becomes INTERNAL and tells the client nothing. */
export const asAppError = (error: unknown, sent: Sent = {}): AppError => {
  if (error instanceof AppError) return error;
  return (
    fromFramework(error, sent) ??
    new AppError('INTERNAL', 'The service failed unexpectedly', {}, { cause: error })
  );
};

/**
 * The detail that clients see. For an unreachable part it gives only the name of the part. The host and the error message stay in the log,
 * because the caller may not have shown a token yet.
 */
const detailOf = ({ code, message, details: { part } }: AppError): string =>
  code === 'UNAVAILABLE' && typeof part === 'string'
    ? `Expected the ${part} to answer, but it does not`
    : message;

/** An error text may quote what a client sent. Characters that would change how the text reads become escapes. */
const shown = (issue: ProblemIssue): ProblemIssue => ({
  path: escapeControlsInLines(issue.path),
  expected: escapeControlsInLines(issue.expected),
  received: escapeControlsInLines(issue.received),
});

export const toProblem = (error: AppError, requestId?: string): Problem => {
  const { status, title, hint } = errors[error.code];
  const issues = z.array(ProblemIssue).safeParse(error.details.issues);
  const ownHint = error.details.hint;
  return {
    type: `urn:funnel:error:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    code: error.code,
    detail: escapeControlsInLines(detailOf(error)),
    hint: escapeControlsInLines(typeof ownHint === 'string' ? ownHint : hint),
    ...(requestId !== undefined && { instance: `urn:uuid:${requestId}` }),
    ...(issues.success && { issues: issues.data.map(shown) }),
  };
};

export const problemType = 'application/problem+json; charset=utf-8';

/** Seconds after which the client should try again, or null. */
const retryAfter = (error: AppError): number | null => {
  const { retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds === 'number') return retryAfterSeconds;
  return [429, 503].includes(errors[error.code].status) ? 2 : null;
};

const headersOf = (error: AppError): Readonly<Record<string, string>> => {
  const seconds = retryAfter(error);
  return {
    'cache-control': 'no-store',
    ...(seconds !== null && { 'retry-after': String(seconds) }),
    ...(error.code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer realm="funnel"' }),
  };
};

const log = (logger: FastifyBaseLogger, error: AppError): void => {
  const { status } = errors[error.code];
  const { code, message: detail } = error;
  if (status >= 500) logger.error({ err: error.cause ?? error, code, detail }, 'failed a request');
  else logger.debug({ code, detail }, 'refused a request');
};

const sentOf = ({ headers, routeOptions: { config }, server }: FastifyRequest): Sent => {
  const route: Route | undefined = config?.routeName && routes[config.routeName];
  return {
    contentType: headers['content-type'],
    length: headers['content-length'],
    limits: server.bodyLimits,
    takesBytes: route?.bytes !== undefined,
  };
};

/** `thrown` as an answer, and a line about it in the log. */
const refuse = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const error = asAppError(thrown, sentOf(request));
  log(request.log, error);
  return reply
    .code(errors[error.code].status)
    .headers(headersOf(error))
    .type(problemType)
    .send(JSON.stringify(toProblem(error, request.id)));
};

const problems = async (app: FastifyInstance): Promise<void> => {
  app.setErrorHandler(refuse);
};

/**
 * Answers every error of a handler or a hook. A route uses the error handler that was set before it, so this plugin comes before the routes.
 */
export const problemsPlugin = fp(problems, { name: 'problems' });

/**
 * Answers a request that Fastify could not route: an address that does not decode, or a parameter that is too long. No hook runs for such a
 * request.
 */
export const answerFrameworkError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  setAnswerHeaders(request, reply);
  refuse(thrown, request, reply);
};

/** The status lines for some of Node's error codes. */
const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers, on the bare socket, a request that Node could not parse: no HTTP, headers that are too large, or a request that arrives too slowly. */
export const answerClientError = (
  fault: NodeJS.ErrnoException,
  socket: Socket,
  logger: FastifyBaseLogger,
): void => {
  if (fault.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = randomUUID(); // there is no request that could have one
  const error = new AppError('INVALID_REQUEST', `Expected HTTP, but: ${fault.message}`);
  log(logger.child({ reqId: id }), error);
  const line = statuses[fault.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ ...toProblem(error, id), status: Number(line.slice(0, 3)) });
  const headers = {
    'Content-Type': problemType,
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': id,
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${line}`, ...head, '', body].join('\r\n'));
};
