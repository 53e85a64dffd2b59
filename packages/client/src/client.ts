/** The client's methods, typed from the declared routes: what may be sent, what comes back. */
import { type FunnelEventRow, type Route, type RouteName, routes } from '@funnel/contracts';
import type { z } from 'zod';
import { streamEvents } from './events.ts';
import {
  type Connection,
  FunnelError,
  joinUrl,
  type Parts,
  type RetryOptions,
  readAnswer,
  send,
  withRetries,
} from './request.ts';

export { FunnelError } from './request.ts';

type Routes = typeof routes;
type Sent<R, Part extends string> = R extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.input<S>
  : never;

/** A part that is not declared is left out; one in which nothing is required may be. */
type PartOf<R, Part extends string> = [Sent<R, Part>] extends [never]
  ? unknown
  : Record<string, never> extends Sent<R, Part>
    ? { readonly [P in Part]?: Sent<R, Part> }
    : { readonly [P in Part]: Sent<R, Part> };

export type Input<K extends RouteName> = PartOf<Routes[K], 'params'> &
  PartOf<Routes[K], 'query'> &
  PartOf<Routes[K], 'headers'> &
  PartOf<Routes[K], 'body'>;

export type Output<K extends RouteName> = Routes[K] extends { readonly response: infer S extends z.ZodType }
  ? z.output<S>
  : Routes[K] extends { readonly produces: 'application/octet-stream' }
    ? Uint8Array<ArrayBuffer>
    : Routes[K] extends { readonly produces: string }
      ? string
      : undefined;

export type CallOptions = {
  readonly signal?: AbortSignal;
};

type Method<K extends RouteName> =
  Record<string, never> extends Input<K>
    ? (input?: Input<K>, options?: CallOptions) => Promise<Output<K>>
    : (input: Input<K>, options?: CallOptions) => Promise<Output<K>>;

export type EventsOptions = {
  /** Only this sweep's events. */
  readonly sweep?: string;
  /** Begin after this event; without it, now. */
  readonly lastEventId?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
};

export type Client = { readonly [K in Exclude<RouteName, 'events'>]: Method<K> } & {
  /** Events as they happen. Comes back by itself after a lost connection, and misses none. */
  readonly events: (options?: EventsOptions) => AsyncGenerator<FunnelEventRow, void, undefined>;
  /** The address that `path` (such as `/v1/checkpoints/…/model.json`) has. */
  readonly urlOf: (path: string) => string;
};

export type ClientOptions = {
  /** Where the service is, such as `http://127.0.0.1:7070`. In a browser, `location.origin`. */
  readonly url: string;
  readonly token?: string;
  /** (Default: the global `fetch`) */
  readonly fetch?: typeof fetch;
} & Partial<RetryOptions>;

/** Asking twice does no more than asking once: everything that only reads, deleting, and submitting under one key. */
const isIdempotent = (route: Route, parts: Parts): boolean =>
  route.method !== 'POST' || route.role === 'read' || parts.headers?.['idempotency-key'] !== undefined;

/** 128 random bits. Not randomUUID: browsers keep that from pages that did not come over TLS. */
const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** A submission without a key of its own gets one, so that it can be repeated when its answer is lost. */
const withKey = (name: RouteName, parts: Parts): Parts =>
  name === 'createSweep' && parts.headers?.['idempotency-key'] === undefined
    ? { ...parts, headers: { 'idempotency-key': randomKey(), ...parts.headers } }
    : parts;

/** Deleted already, and we may have been the ones: the answer to the first try was lost. */
const isDone = (route: Route, attempt: number, error: unknown): boolean =>
  route.method === 'DELETE' && attempt > 0 && error instanceof FunnelError && error.status === 404;

/**
 * A client with one typed method per declared route. Calls throw FunnelError, which carries the problem as the service stated it; those
 * that can safely be repeated are, with growing pauses, when the service is away or asks to wait.
 *
 *     const client = createClient({ url: 'http://127.0.0.1:7070' });
 *     const sweep = await client.createSweep({ body: { name: 'γ', dataset: { name: 'glyphs' }, space: { gamma: [1, 5] } } });
 *     for await (const { event } of client.events({ sweep: sweep.id })) console.log(event);
 *     const { items } = await client.leaderboard({ query: { sweep: sweep.id } });
 */
export const createClient = ({
  url,
  token,
  fetch: given,
  retries = 4,
  backoff = 200,
}: ClientOptions): Client => {
  // Wrapped: a browser's fetch refuses to be called as a property of something else.
  const connection: Connection = { url, token, fetch: given ?? ((...input) => fetch(...input)) };
  const retry: RetryOptions = { retries, backoff };

  const call =
    (name: RouteName, route: Route) =>
    (input: Parts = {}, { signal }: CallOptions = {}) => {
      const parts = withKey(name, input);
      const idempotent = isIdempotent(route, parts);
      return withRetries(
        async (attempt) => {
          try {
            return await readAnswer(route, await send(connection, route, parts, signal));
          } catch (error) {
            if (isDone(route, attempt, error)) return undefined;
            throw error;
          }
        },
        { ...retry, idempotent, signal },
      );
    };

  const methods = Object.entries(routes).map(([name, route]) => [name, call(name as RouteName, route)]);
  return {
    ...Object.fromEntries(methods),
    events: (options: EventsOptions = {}) => streamEvents(connection, retry, options),
    urlOf: (path: string) => joinUrl(url, path),
  } as Client; // one method per route, by construction
};
