/**
 * A server with the declared routes and made-up data, to test the pages without a database. It checks every request and response with
 * the schemas of the contract, as the real server does.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type ErrorCode, errors, type FunnelEventRow, type Route, routes } from '@funnel/contracts';
import { z } from 'zod';
import { createHandlers, Fault } from './handlers.ts';
import type { World } from './world.ts';

type Found = { readonly name: string; readonly route: Route; readonly params: Record<string, string> };

const findRoute = (method: string, path: string): Found | null => {
  // Fixed paths come first: /v1/sweeps/plan is not a sweep named plan.
  const all = Object.entries(routes).sort(
    ([, a], [, b]) => a.url.split(':').length - b.url.split(':').length,
  );
  for (const [name, route] of all) {
    if (route.method !== method) continue;
    const names: string[] = [];
    const pattern = route.url.replace(/:([a-z]+)/gi, (_, param: string) => {
      names.push(param);
      return '([^/]+)';
    });
    const match = new RegExp(`^${pattern}$`).exec(path);
    if (match)
      return {
        name,
        route,
        params: Object.fromEntries(names.map((param, i) => [param, decodeURIComponent(match[i + 1]!)])),
      };
  }
  return null;
};

const queryOf = (search: URLSearchParams): Record<string, unknown> => {
  const query: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    const all = search.getAll(name);
    query[name] = all.length > 1 ? all : all[0];
  }
  return query;
};

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString());
};

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export type FakeApi = {
  readonly url: string;
  readonly world: World;
  /** The number of requests by route. */
  readonly requests: Map<string, number>;
  /** Ends every event stream, like a restart. */
  readonly cutStreams: () => void;
  readonly close: () => Promise<void>;
};

/** Starts the server. If `refuse` returns an error code for a route, the server answers with that error. */
export const startFakeApi = async (
  world: World,
  options: { readonly dist: string; readonly refuse?: (name: string) => ErrorCode | null },
): Promise<FakeApi> => {
  const streams = new Set<ServerResponse>();
  const requests = new Map<string, number>();
  const handle = createHandlers(world);

  const stream = (request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: 200\nid: ${world.events.length}\n: id ${world.events.length}\n\n`);
    const send = (row: FunnelEventRow) => response.write(`id: ${row.id}\ndata: ${JSON.stringify(row)}\n\n`);
    const last = request.headers['last-event-id'];
    if (last !== undefined) for (const row of world.events.slice(Number(last))) send(row);
    world.listeners.add(send);
    streams.add(response);
    response.on('close', () => {
      world.listeners.delete(send);
      streams.delete(response);
    });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url!, 'http://fake');
    const found = findRoute(request.method!, url.pathname);
    if (!found) {
      const path = url.pathname === '/' ? '/index.html' : normalize(url.pathname);
      const file = await readFile(join(options.dist, path)).catch(() => null);
      response.writeHead(file ? 200 : 404, {
        'content-type': types[extname(path)] ?? 'application/octet-stream',
        // A strict policy, as on a careful server.
        'content-security-policy':
          "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'",
      });
      response.end(file ?? 'Not found');
      return;
    }
    const { name, route, params } = found;
    requests.set(name, (requests.get(name) ?? 0) + 1);
    const refused = options.refuse?.(name);
    if (refused) throw new Fault(refused, errors[refused].title);
    if (name === 'events') return stream(request, response);
    const query = (route.query?.parse(queryOf(url.searchParams)) ?? {}) as Record<string, unknown>;
    const body = route.body ? route.body.parse(await readBody(request)) : undefined;
    const result = await handle[name]!({
      params: route.params ? (route.params.parse(params) as Record<string, string>) : {},
      query,
      body,
    });
    if (route.produces) {
      response.writeHead(200, { 'content-type': route.produces }).end(result as Buffer);
      return;
    }
    const checked = route.response ? route.response.parse(result) : undefined;
    response
      .writeHead(route.status ?? 200, { 'content-type': 'application/json' })
      .end(checked === undefined ? undefined : JSON.stringify(checked));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const code: ErrorCode =
        error instanceof Fault ? error.code : error instanceof z.ZodError ? 'INVALID_REQUEST' : 'INTERNAL';
      const detail = error instanceof Error ? error.message : String(error);
      const { status, title, hint } = errors[code];
      response
        .writeHead(status, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ type: `/errors/${code}`, title, status, code, detail, hint }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cutStreams = () => {
    for (const response of streams) response.destroy();
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    world,
    requests,
    cutStreams,
    close: () =>
      new Promise((resolve) => {
        cutStreams();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
