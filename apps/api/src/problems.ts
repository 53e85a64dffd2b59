/** Whatever was thrown, as `application/problem+json` (RFC 9457), from the one table of errors. No stack ever leaves. */

import type { Socket } from 'node:net';
import { AppError, type ErrorCode, errors, type Problem, ProblemIssue } from '@funnel/contracts';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

const frameworkCode = (code: string, status: number): ErrorCode => {
  if (status === 413) return 'BODY_TOO_LARGE';
  if (status === 415) return 'UNSUPPORTED_MEDIA_TYPE';
  if (code === 'FST_ERR_HANDLER_TIMEOUT') return 'UNAVAILABLE';
  if (code.startsWith('FST_ERR_CTP')) return 'MALFORMED_BODY';
  return 'INVALID_REQUEST';
};

/** Where the framework's own words do not say what was expected and what came. */
const wordsFor = (code: ErrorCode, error: Error, contentType: string | undefined): string => {
  if (code === 'UNSUPPORTED_MEDIA_TYPE')
    return `Expected application/json or application/yaml, but got ${contentType?.slice(0, 100) || 'no content type'}`;
  if (code === 'BODY_TOO_LARGE')
    return 'Expected at most FUNNEL_MAX_BODY_BYTES of JSON, or a sixteenth of that of YAML, but got more';
  return error.message;
};

/** Fastify's and Node's own refusals carry a code and a status; a 500 of theirs is a fault like any other. */
const fromFramework = (error: unknown, contentType: string | undefined): AppError | null => {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return null;
  const { statusCode: status, code } = error;
  if (typeof status !== 'number' || typeof code !== 'string') return null;
  if (status >= 500 && code !== 'FST_ERR_HANDLER_TIMEOUT') return null;
  const ours = frameworkCode(code, status);
  return new AppError(ours, wordsFor(ours, error, contentType), {}, { cause: error });
};

/** The error that a person can act on; INTERNAL, saying nothing, for what nobody foresaw. `contentType`: of the request. */
export const asAppError = (error: unknown, contentType?: string): AppError => {
  if (error instanceof AppError) return error;
  return (
    fromFramework(error, contentType) ??
    new AppError('INTERNAL', 'Something failed that should not', {}, { cause: error })
  );
};

/** Which host it is and what it said is for the log: callers, who may have shown no token yet, hear which part it is. */
const detailOf = ({ code, message, details: { part } }: AppError): string =>
  code === 'UNAVAILABLE' && typeof part === 'string'
    ? `Expected the ${part} to answer, but it does not`
    : message;

export const toProblem = (error: AppError, requestId?: string): Problem => {
  const { status, title, hint } = errors[error.code];
  const issues = z.array(ProblemIssue).safeParse(error.details.issues);
  return {
    type: `urn:funnel:error:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    code: error.code,
    detail: detailOf(error),
    hint,
    ...(requestId !== undefined && { instance: `urn:uuid:${requestId}` }),
    ...(issues.success && { issues: issues.data }),
  };
};

/** One door out for everything that was thrown: problem+json for the caller, the whole story for the log. */

export const problemType = 'application/problem+json; charset=utf-8';

/** Seconds after which it makes sense to try again, where it does. */
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

/** To be called before any route is registered: those that are there keep the handler of that time. */
export const registerProblems = (app: FastifyInstance): void => {
  app.setErrorHandler((thrown, request, reply) => {
    const error = asAppError(thrown, request.headers['content-type']);
    log(request.log, error);
    return reply
      .code(errors[error.code].status)
      .headers(headersOf(error))
      .type(problemType)
      .send(JSON.stringify(toProblem(error, request.id)));
  });
};

/** Requests so broken that no route sees them: answered in the same form all the same. */

/** An address that does not decode, a parameter that is too long. */
export const answerFrameworkError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const error = asAppError(thrown);
  const problem = JSON.stringify(toProblem(error, request.id));
  reply.code(errors[error.code].status).type(problemType).send(problem);
};

/** Node's codes of what has a status of its own. */
const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is not HTTP, too large in its headers, or too slow to arrive. */
export const answerClientError = (fault: NodeJS.ErrnoException, socket: Socket): void => {
  if (fault.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const line = statuses[fault.code ?? ''] ?? '400 Bad Request';
  const problem = toProblem(new AppError('INVALID_REQUEST', `Expected HTTP, but: ${fault.message}`));
  const body = JSON.stringify({ ...problem, status: Number(line.slice(0, 3)) });
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
};
