import { type ErrorCode, errors, Problem } from '@funnel/contracts';

/** What went wrong, as the service said it; or why it could not be asked. */
export class FunnelError extends Error {
  readonly problem: Problem;
  /** Whether the service answered at all. When it did not, it is unknown whether it acted. */
  readonly answered: boolean;
  /** Seconds that the service asked to wait. */
  readonly retryAfter: number | null;

  constructor(
    problem: Problem,
    details: { readonly answered: boolean; readonly retryAfter?: number | null },
    options?: ErrorOptions,
  ) {
    super(problem.detail, options);
    this.name = 'FunnelError';
    this.problem = problem;
    this.answered = details.answered;
    this.retryAfter = details.retryAfter ?? null;
  }

  get code(): ErrorCode {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

const problemOf = (code: ErrorCode, detail: string): Problem => {
  const { status, title, hint } = errors[code];
  return { type: 'about:blank', code, status, title, hint, detail };
};

/** Nobody answered: refused, unreachable, cut off, too slow. */
export const unanswered = (url: string, cause: unknown): FunnelError => {
  // fetch hides what happened in the cause of its "fetch failed".
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  const detail = `Expected an answer from ${new URL(url).origin}, but got none: ${reason}`;
  return new FunnelError(problemOf('UNAVAILABLE', detail), { answered: false }, { cause });
};

const seconds = (header: string | null): number | null => {
  if (header === null) return null;
  const value = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(value) ? Math.max(0, value) : null;
};

/** The error of an answer that is not a success. One that is not ours (a proxy's page) keeps its status. */
export const refused = async (response: Response): Promise<FunnelError> => {
  const text = await response.text().catch(() => '');
  const details = { answered: true, retryAfter: seconds(response.headers.get('retry-after')) };
  const problem = Problem.safeParse(parseJson(text));
  if (problem.success) return new FunnelError(problem.data, details);
  const away = [502, 503, 504].includes(response.status);
  const detail = `Expected Funnel's answer from ${response.url}, but got status ${response.status}`;
  return new FunnelError(
    { ...problemOf(away ? 'UNAVAILABLE' : 'INTERNAL', detail), status: response.status },
    details,
  );
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
