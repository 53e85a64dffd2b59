import { type Route, type RouteName, routes } from '@funnel/contracts';
import { streamEvents } from './events.ts';
import { FunnelError } from './funnel-error.ts';
import { type Connection, joinUrl, type Parts, readAnswer, send } from './request.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import type { CallOptions, Client, EventsOptions } from './types.ts';

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
