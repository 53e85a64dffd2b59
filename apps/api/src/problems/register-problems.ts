/** One door out for everything that was thrown: problem+json for the caller, the whole story for the log. */
import { type AppError, errors } from '@funnel/contracts';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { asAppError, toProblem } from './to-problem.ts';

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
