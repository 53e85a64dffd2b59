/** Whatever was thrown, as `application/problem+json` (RFC 9457), from the one table of errors. No stack ever leaves. */
import { AppError, type ErrorCode, errors, type Problem, ProblemIssue } from '@funnel/contracts';
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
