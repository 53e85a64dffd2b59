/** One call over HTTP: from a route's declaration and its parts to an answer or a FunnelError. */
import type { Route } from '@funnel/contracts';
import { refused, unanswered } from './funnel-error.ts';

export type Parts = {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

export type Connection = {
  /** Where the service is, with or without a path before its own. */
  readonly url: string;
  readonly token?: string;
  readonly fetch: typeof fetch;
};

/** `base` may have a path of its own: a service behind a proxy. */
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

export const addressOf = (base: string, route: Pick<Route, 'url'>, { params, query }: Parts): string =>
  joinUrl(base, `${pathOf(route, params)}${queryOf(query)}`);

export const headersOf = (token: string | undefined, headers: Parts['headers']): Headers => {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers ?? {}))
    if (value !== undefined) all.set(name, String(value));
  if (token !== undefined) all.set('authorization', `Bearer ${token}`);
  return all;
};

/** Throws FunnelError; a caller's abort is thrown as its own reason. */
export const send = async (
  { url, token, fetch }: Connection,
  route: Route,
  parts: Parts,
  signal?: AbortSignal,
): Promise<Response> => {
  const address = addressOf(url, route, parts);
  const headers = headersOf(token, parts.headers);
  if (route.body) headers.set('content-type', 'application/json');
  const body = route.body ? JSON.stringify(parts.body) : undefined;
  const response = await fetch(address, { method: route.method, headers, body, signal }).catch(
    (error: unknown) => {
      throw signal?.aborted ? signal.reason : unanswered(address, error);
    },
  );
  if (!response.ok) throw await refused(response);
  return response;
};

/** What the route declares to answer. */
export const readAnswer = async (route: Route, response: Response): Promise<unknown> => {
  try {
    if (route.response) return await response.json();
    if (route.produces === 'application/octet-stream') return new Uint8Array(await response.arrayBuffer());
    if (route.produces) return await response.text();
    await response.body?.cancel();
    return undefined;
  } catch (error) {
    throw unanswered(response.url, error); // cut off in the middle
  }
};
