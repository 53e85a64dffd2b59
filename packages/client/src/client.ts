/**
 * The typed client: one method per declared route. The schemas of the routes determine the parameters and the result of each method.
 * @module @funnel/client
 */
import { type FunnelEventRow, type Route, type RouteName, routes, type Submission } from '@funnel/contracts';
import type { z } from 'zod';
import { streamEvents } from './events.ts';
import {
  type Connection,
  type Fetch,
  FunnelError,
  joinUrl,
  onlyReads,
  type Parts,
  type RetryOptions,
  readAnswer,
  send,
  wait,
  withRetries,
} from './request.ts';

export type { ErrorCode, FunnelEventRow, Problem, RouteName } from '@funnel/contracts';
export { type Answer, type Fetch, FunnelError } from './request.ts';
export { type UploadOptions, uploadDataset } from './upload-dataset.ts';

type Routes = typeof routes;
type Sent<R, Part extends string> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.input<S>
  : never;

/** The type of one part of a route's input. An undeclared part is absent; a part without required members is optional. */
type PartOf<R, Part extends string> = [Sent<R, Part>] extends [never]
  ? unknown
  : Record<string, never> extends Sent<R, Part>
    ? { readonly [P in Part]?: Sent<R, Part> }
    : { readonly [P in Part]: Sent<R, Part> };

type BytesOf<R> = R extends { readonly bytes: number }
  ? { readonly bytes: Uint8Array<ArrayBuffer> }
  : unknown;

export type Input<K extends RouteName> = PartOf<Routes[K], 'params'> &
  PartOf<Routes[K], 'query'> &
  PartOf<Routes[K], 'headers'> &
  PartOf<Routes[K], 'body'> &
  BytesOf<Routes[K]>;

export type Output<K extends RouteName> = Routes[K] extends { readonly response: infer S extends z.ZodType }
  ? z.output<S>
  : Routes[K] extends { readonly produces: 'application/octet-stream' }
    ? Uint8Array<ArrayBuffer>
    : Routes[K] extends { readonly produces: string }
      ? string
      : undefined;

export type CallOptions = {
  readonly signal?: AbortSignal;
  /** Called with the place of a large submission in the queue, whenever it has changed. */
  readonly onSubmission?: (submission: Submission) => void;
  /** Called when a submission makes no sweep, because an earlier one had the same key. */
  readonly onRepeated?: () => void;
};

type Method<K extends RouteName> =
  Record<string, never> extends Input<K>
    ? (input?: Input<K>, options?: CallOptions) => Promise<Output<K>>
    : (input: Input<K>, options?: CallOptions) => Promise<Output<K>>;

export type EventsOptions = {
  /** Only the events of this sweep. */
  readonly sweep?: string;
  /** Begin after this event; `'0-0'` begins with the first event. (Default: begin now, which misses the end of a sweep that is already over) */
  readonly lastEventId?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
};

export type Client = { readonly [K in Exclude<RouteName, 'events'>]: Method<K> } & {
  /** Yields events as they happen. Reconnects after a lost connection, and misses no event. */
  readonly events: (options?: EventsOptions) => AsyncGenerator<FunnelEventRow, void, undefined>;
  /** The full address of `path` (such as `/v1/checkpoints/…/model.json`). */
  readonly urlOf: (path: string) => string;
};

export type ClientOptions = {
  /** The address of the service, such as `http://127.0.0.1:7070`; in a browser, `location.origin`. */
  readonly url: string;
  readonly token?: string;
  /** (Default: the global `fetch`) */
  readonly fetch?: Fetch;
} & Partial<RetryOptions>;

/** Milliseconds between two questions for the place of a submission. */
const followMs = 1000;

/** Whether a second call has no further effect: reads, deletions, steps of an upload, and submissions with a key. */
const isIdempotent = (route: Route, parts: Parts): boolean =>
  onlyReads(route) ||
  route.method !== 'POST' ||
  route.isRepeatable === true ||
  parts.headers?.['idempotency-key'] !== undefined;

/** 128 random bits in hex. Browsers hide `randomUUID` from pages without TLS. */
const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Gives a submission without a key a random one, so that the client can repeat it after a lost answer. */
const withKey = (name: RouteName, parts: Parts): Parts =>
  name === 'createSweep' && parts.headers?.['idempotency-key'] === undefined
    ? { ...parts, headers: { 'idempotency-key': randomKey(), ...parts.headers } }
    : parts;

/** Whether a 404 means that an earlier attempt with a lost answer has deleted the object. */
const isDeleted = (route: Route, attempt: number, error: unknown): boolean =>
  route.method === 'DELETE' && attempt > 0 && error instanceof FunnelError && error.status === 404;

/**
 * Creates a client; a `url` that is no address throws a TypeError. Its methods throw FunnelError, which has the problem from the service. While
 * the service is away or asks to wait, the client repeats calls that are safe to repeat, with growing pauses. A large submission that the
 * service takes for later is followed to its sweep.
 *
 *     const client = createClient({ url: 'http://127.0.0.1:7070' });
 *     const sweep = await client.createSweep({ body: { name: 'γ', dataset: { name: 'glyphs' }, space: { gamma: [1, 5] } } });
 *     for await (const { event } of client.events({ sweep: sweep.id, lastEventId: '0-0' })) console.log(event);
 *     const { items } = await client.leaderboard({ query: { sweep: sweep.id } });
 */
export const createClient = ({
  url,
  token,
  fetch: customFetch,
  retries = 4,
  backoff = 200,
}: ClientOptions): Client => {
  if (!/^https?:/.test(url) || !URL.canParse(url))
    throw new TypeError(
      `Expected the address of the service as \`url\`, such as http://127.0.0.1:7070, but got ${JSON.stringify(url)}`,
    );
  // The wrapper is necessary because a browser's fetch cannot be called as a property of another object.
  const connection: Connection = { url, token, fetch: customFetch ?? ((...input) => fetch(...input)) };
  const retry: RetryOptions = { retries, backoff };

  const call =
    (name: RouteName, route: Route) =>
    async (input: Parts = {}, options: CallOptions = {}): Promise<unknown> => {
      const { signal } = options;
      const parts = withKey(name, input);
      const idempotent = isIdempotent(route, parts);
      const { answer, status } = await withRetries(
        async (attempt) => {
          try {
            const response = await send(connection, route, parts, signal);
            const { status } = response;
            // A second attempt may find the sweep that the first one made.
            if (name === 'createSweep' && status === 200 && attempt === 0) options.onRepeated?.();
            return { answer: await readAnswer(route, response), status };
          } catch (error) {
            if (isDeleted(route, attempt, error)) return { answer: undefined, status: 204 };
            throw error;
          }
        },
        { ...retry, idempotent, signal },
      );
      return status === 202 ? follow(answer as Submission, options) : answer; // only submissions are accepted for later
    };

  /** The sweep of a submission that the service has taken. Throws FunnelError with the problem of a refused one. */
  const follow = async (taken: Submission, options: CallOptions): Promise<unknown> => {
    let submission = taken;
    for (;;) {
      options.onSubmission?.(submission);
      const { sweepId, problem } = submission;
      if (problem) throw new FunnelError(problem, { answered: true });
      if (sweepId !== null)
        return call('getSweep', routes.getSweep)({ params: { id: sweepId } }, { signal: options.signal });
      await wait(followMs, options.signal);
      submission = (await call('getSubmission', routes.getSubmission)(
        { params: { id: submission.id } },
        { signal: options.signal },
      )) as Submission; // as the route declares
    }
  };

  const methods = Object.entries(routes).map(([name, route]) => [name, call(name as RouteName, route)]);
  return {
    ...Object.fromEntries(methods),
    events: (options: EventsOptions = {}) => streamEvents(connection, retry, options),
    urlOf: (path: string) => joinUrl(url, path),
  } as Client; // the line above adds one method per route
};
