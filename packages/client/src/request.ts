/** One call over HTTP: its address and headers, its answer, its errors, and its repetitions. */
import { type ErrorCode, encodeHeader, errors, lineFault, Problem, type Route } from '@funnel/contracts';

/** Has the problem from the service, or the reason why there was no answer. */
export class FunnelError extends Error {
  readonly problem: Problem;
  /** Whether the service answered. If not, nobody knows whether it carried out the call. */
  readonly answered: boolean;
  /** The number of seconds that the service asked the caller to wait. */
  readonly retryAfter: number | null;
  /** Whether the call only reads, and so changes nothing also when it succeeds. */
  readonly onlyReads: boolean;

  constructor(
    problem: Problem,
    details: {
      readonly answered: boolean;
      readonly retryAfter?: number | null;
      /** (Default: false) */
      readonly onlyReads?: boolean;
    },
    options?: ErrorOptions,
  ) {
    super(problem.detail, options);
    this.name = 'FunnelError';
    this.problem = problem;
    this.answered = details.answered;
    this.retryAfter = details.retryAfter ?? null;
    this.onlyReads = details.onlyReads ?? false;
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

/** Words for errors of connections whose messages are for the authors of OpenSSL. */
const notHttps = 'it does not speak https; try http';
const unclearReasons: Readonly<Record<string, string>> = {
  EPROTO: notHttps,
  ERR_SSL_WRONG_VERSION_NUMBER: notHttps,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notHttps,
};
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');

/** The error of a call without an answer: the connection was refused, impossible, cut off, or too slow. */
const unanswered = (url: string, cause: unknown): FunnelError => {
  // The message of fetch is only "fetch failed"; its cause has the reason.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? (unclearReasons[codeOf(inner)] ?? inner.message) : String(inner);
  const detail = `Expected an answer from ${new URL(url).origin}, but got none: ${reason}`;
  return new FunnelError(problemOf('UNAVAILABLE', detail), { answered: false }, { cause });
};

/** Retry-After in seconds: a number, or a date. */
const retryAfterSeconds = (header: string | null): number | null => {
  if (header === null) return null;
  const value = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(value) ? Math.max(0, value) : null;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Whether a call of the route changes nothing. */
export const onlyReads = ({ method, role }: Pick<Route, 'method' | 'role'>): boolean =>
  method === 'GET' || role === 'read';

/** The error of an unsuccessful answer. For an answer that is not from Funnel, such as a proxy's page, it has the status of this answer. */
const refused = async (response: Answer, route: Route): Promise<FunnelError> => {
  const text = await response.text().catch(() => '');
  const details = {
    answered: true,
    retryAfter: retryAfterSeconds(response.headers.get('retry-after')),
    onlyReads: onlyReads(route),
  };
  const problem = Problem.safeParse(parseJson(text));
  if (problem.success) return new FunnelError(problem.data, details);
  const away = [502, 503, 504].includes(response.status);
  const detail = `Expected Funnel's answer from ${response.url}, but got status ${response.status}`;
  return new FunnelError(
    { ...problemOf(away ? 'UNAVAILABLE' : 'INTERNAL', detail), status: response.status },
    details,
  );
};

export type RetryOptions = {
  /** The largest number of repetitions of a call. (Default: 4) */
  readonly retries: number;
  /** Milliseconds before the first repetition. Each further pause is up to twice as long. (Default: 200) */
  readonly backoff: number;
};

/** The longest pause in milliseconds, even if the service asks for a longer one. */
const maxWait = 30_000;

/**
 * Whether to repeat a call. After a 429 every call is repeated, because the service did nothing. An idempotent call is also repeated if the
 * service did not answer, or answered that it is not available now.
 */
export const mayRetry = (error: FunnelError, idempotent: boolean): boolean => {
  if (error.status === 429) return true;
  const isTemporary = !error.answered || [502, 503, 504].includes(error.status);
  return idempotent && isTemporary;
};

/**
 * The pause in milliseconds: the time that the service asked for, plus a random time that doubles with each attempt, so that many clients
 * do not return at once.
 */
export const retryDelay = (error: FunnelError, attempt: number, { backoff }: RetryOptions): number => {
  const asked = error.retryAfter === null ? 0 : error.retryAfter * 1000;
  const doubling = backoff * 2 ** attempt;
  return Math.min(maxWait, asked + doubling * (0.5 + Math.random() / 2));
};

/** Resolves after `delay` milliseconds. If the signal aborts, rejects at once with its reason. */
export const wait = (delay: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, delay);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });

export const withRetries = async <T>(
  call: (attempt: number) => Promise<T>,
  options: RetryOptions & { readonly idempotent: boolean; readonly signal?: AbortSignal },
): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      if (!(error instanceof FunnelError) || attempt >= options.retries) throw error;
      if (!mayRetry(error, options.idempotent)) throw error;
      await wait(retryDelay(error, attempt, options), options.signal);
    }
  }
};

export type Parts = {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** The body of a route that takes bytes. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
};

/** The parts of a `Response` that the client reads. */
export type Answer = Pick<Response, 'ok' | 'status' | 'url' | 'body' | 'json' | 'text' | 'arrayBuffer'> & {
  readonly headers: Pick<Headers, 'get'>;
};

/** The part of the global `fetch` that the client uses. */
export type Fetch = (
  address: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string | Uint8Array<ArrayBuffer>;
    readonly signal?: AbortSignal;
  },
) => Promise<Answer>;

export type Connection = {
  /** The address of the service. It may have a path, for example behind a proxy. */
  readonly url: string;
  readonly token?: string;
  readonly fetch: Fetch;
};

/** `base` may have a path. */
export const joinUrl = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`;

const pathOf = ({ url }: Pick<Route, 'url'>, params: Parts['params']): string =>
  url.replace(/:([a-z]+)/gi, (_, name: string) => {
    const value = params?.[name];
    if (value === undefined) throw new TypeError(`Expected params.${name} for ${url}, but got nothing`);
    return encodeURIComponent(String(value));
  });

const queryOf = (query: Parts['query']): string => {
  const pairs = Object.entries(query ?? {}).flatMap(([key, value]) =>
    [value]
      .flat()
      .filter((item) => item !== undefined)
      .map((item) => [key, String(item)]),
  );
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : '';
};

const addressOf = (base: string, route: Pick<Route, 'url'>, { params, query }: Parts): string =>
  joinUrl(base, `${pathOf(route, params)}${queryOf(query)}`);

/** Throws TypeError for a text with control characters, which no header can carry. */
const toHeader = (name: string, text: string): string => {
  const fault = lineFault(text);
  if (fault !== null) throw new TypeError(`The ${name} cannot be sent. ${fault}`);
  return encodeHeader(text);
};

const headersOf = (
  route: Route,
  token: string | undefined,
  given: Parts['headers'],
): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given ?? {}))
    if (value !== undefined) headers[name] = toHeader(name, String(value));
  if (token !== undefined) headers.authorization = `Bearer ${toHeader('token', token)}`;
  if (route.body) headers['content-type'] = 'application/json';
  if (route.bytes !== undefined) headers['content-type'] = 'application/octet-stream';
  return headers;
};

/** Sends one request. Throws FunnelError; if the caller aborts, throws the reason of the signal. */
export const send = async (
  { url, token, fetch }: Connection,
  route: Route,
  parts: Parts,
  signal?: AbortSignal,
): Promise<Answer> => {
  const address = addressOf(url, route, parts);
  const headers = headersOf(route, token, parts.headers);
  const body = route.body ? JSON.stringify(parts.body) : parts.bytes;
  const response = await fetch(address, { method: route.method, headers, body, signal }).catch(
    (error: unknown) => {
      throw signal?.aborted ? signal.reason : unanswered(address, error);
    },
  );
  if (!response.ok) throw await refused(response, route);
  return response;
};

/** Reads the content of an answer in the form that the route declares. */
export const readAnswer = async (route: Route, response: Answer): Promise<unknown> => {
  try {
    if (route.response) return await response.json();
    if (route.produces === 'application/octet-stream') return new Uint8Array(await response.arrayBuffer());
    if (route.produces) return await response.text();
    await response.body?.cancel();
    return undefined;
  } catch (error) {
    throw unanswered(response.url, error); // the connection broke in the middle of the answer
  }
};
