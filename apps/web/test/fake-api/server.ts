/**
 * A server with the declared routes over made-up data, so that the pages can be tested without a database. Every request and answer
 * goes through the contract's own schemas: what the pages can do here they can do with the real one.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import {
  type ErrorCode,
  errors,
  type FunnelEventRow,
  type LeaderboardQuery,
  type Route,
  routes,
  SweepDefinition,
  type Worker,
} from '@funnel/contracts';
import { z } from 'zod';
import { networksOf } from '../../src/model/networks.ts';
import { leaderboardOf } from './leaderboard.ts';
import { modelJson, networks, weightsBin } from './models.ts';
import { galleryOf, recordsOf } from './results.ts';
import type { World } from './world.ts';

class Fault extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

type Request = {
  readonly params: Record<string, string>;
  readonly query: Record<string, unknown>;
  readonly body: unknown;
};

const need = <T>(value: T | null | undefined, what: string): T => {
  if (value === null || value === undefined) throw new Fault('NOT_FOUND', `There is no ${what}.`);
  return value;
};

const paged = <T>(items: readonly T[], query: Record<string, unknown>) => {
  const limit = Number(query.limit ?? 50);
  const from = Number(query.cursor ?? 0);
  const next = from + limit < items.length ? String(from + limit) : null;
  return { items: items.slice(from, from + limit), next };
};

const workers = (world: World): Worker[] => {
  const running = [...world.sweeps.values()]
    .flatMap((sweep) => [...sweep.stages.values()].filter((stage) => stage.status === 'running'))
    .slice(0, 4);
  const base = {
    host: 'gpu-1',
    pid: 4711,
    version: '0.1.0',
    startedAt: '2026-11-22T06:00:00Z',
    heartbeatAt: new Date().toISOString(),
  };
  return [
    {
      ...base,
      id: 'worker-a',
      backend: 'cuda',
      device: 'NVIDIA H100',
      slots: 4,
      status: 'online',
      memoryBytes: 3.1e9,
      running: running.map((s) => ({
        stage: s.id,
        kind: s.kind,
        position: s.position,
        epochs: s.epochs,
        imagesPerSecond: 5210,
      })),
    },
    {
      ...base,
      id: 'worker-b',
      host: 'old-laptop',
      backend: 'wasm',
      device: 'wasm (SIMD), 2 cores',
      slots: 1,
      status: 'draining',
      memoryBytes: 4.2e8,
      running: [],
    },
  ];
};

const handlers = (world: World): Record<string, (request: Request) => unknown> => {
  const sweep = (r: Request) => need(world.sweeps.get(r.params.id!), `sweep ${r.params.id}`);
  const trial = (id: string) => need(world.findTrial(id), `trial ${id}`);
  const setStatus = (status: 'running' | 'paused' | 'cancelled') => (r: Request) => {
    const found = sweep(r);
    found.status = status;
    if (status === 'cancelled')
      for (const [i, now] of found.statuses.entries())
        if (now === 'waiting' || now === 'running') found.statuses[i] = 'cancelled';
    world.emit({ type: 'sweep', sweepId: found.id, status });
    return world.sweepOf(found);
  };
  /** Only networks that the checkpoint's stage would have stored. */
  const network = (r: Request) => {
    const stages = [...world.sweeps.values()].flatMap((found) => [...found.stages.values()]);
    const stage = need(
      stages.find(({ checkpoint }) => checkpoint === r.params.hash),
      `checkpoint ${r.params.hash}`,
    );
    const stored = networksOf(stage).find((name) => name === r.params.network);
    return need(stored && networks[stored], `network ${r.params.network}`);
  };
  const newest = () => [...world.sweeps.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return {
    planSweep: (r) => world.plan(SweepDefinition.parse(r.body)).plan,
    createSweep: (r) => world.detailOf(world.addSweep(r.body as never)),
    listSweeps: (r) => {
      const { status, search } = r.query;
      const found = newest().filter(
        (s) =>
          (status === undefined || s.status === status) &&
          s.definition.name.toLowerCase().includes(String(search ?? '').toLowerCase()),
      );
      const page = paged(found, r.query);
      return { ...page, items: page.items.map(world.sweepOf) };
    },
    getSweep: (r) => world.detailOf(sweep(r)),
    listTrials: (r) => {
      const found = sweep(r);
      const page = paged(found.planned, r.query);
      return { ...page, items: page.items.map((t) => world.trialOf(found, t.number)) };
    },
    listStages: (r) => paged([...sweep(r).stages.values()], r.query),
    pauseSweep: setStatus('paused'),
    resumeSweep: setStatus('running'),
    cancelSweep: setStatus('cancelled'),
    retrySweep: setStatus('running'),
    deleteSweep: (r) => {
      world.sweeps.delete(sweep(r).id);
      world.emit({ type: 'sweep', sweepId: r.params.id!, status: 'deleted' });
    },
    getTrial: (r) => {
      const { sweep, n } = trial(r.params.id!);
      return world.trialDetailOf(sweep, n);
    },
    getMetrics: (r) => {
      const { sweep, n } = trial(r.params.id!);
      return { series: world.metricsOf(sweep, n) };
    },
    getImages: (r) => {
      const { sweep, n } = trial(r.params.id!);
      const run = need(sweep.stages.get(r.params.stage!)?.attack, `evaluation ${r.params.stage}`);
      const records = recordsOf(sweep.planned[n]!, run);
      return { ...records, gallery: galleryOf(records) };
    },
    leaderboard: (r) => paged(leaderboardOf(world, r.query as LeaderboardQuery), r.query),
    compare: (r) => {
      const trials = String(r.query.trials)
        .split(',')
        .map((id) => {
          const { sweep, n } = trial(id);
          return world.trialDetailOf(sweep, n);
        });
      const names = [...new Set(trials.flatMap((t) => Object.keys(t.hyperparameters)))];
      return {
        trials,
        differs: names.filter((name) => new Set(trials.map((t) => t.hyperparameters[name])).size > 1),
      };
    },
    listWorkers: () => ({ items: workers(world) }),
    getStageLog: (r) => {
      const stage = need(
        [...world.sweeps.values()].map((s) => s.stages.get(r.params.id!)).find((s) => s !== undefined),
        'stage',
      );
      const line = (message: string, level: 'info' | 'error' = 'info', attempt: number | null = 1) => ({
        ...{ at: stage.startedAt!, attempt, level, message },
        detail: level === 'error' ? 'Error: it fell\n    at step (train.ts:7)' : null,
      });
      if (stage.status === 'waiting' || stage.status === 'ready') return { items: [] };
      return {
        items: [
          line('began on worker-a (wasm)'),
          ...Array.from({ length: stage.position?.epoch ?? 0 }, (_, i) =>
            line(`epoch ${i + 1}`, 'info', null),
          ),
          stage.status === 'failed' ? line('ended: failed', 'error') : line(`ended: ${stage.status}`),
        ],
      };
    },
    getStage: (r) =>
      need(
        [...world.sweeps.values()].map((s) => s.stages.get(r.params.id!)).find((s) => s !== undefined),
        'stage',
      ),
    getModel: (r) => modelJson(network(r)),
    getWeights: (r) => weightsBin(network(r)),
    health: () => ({ status: 'ok' }),
    ready: () => ({ status: 'ok', database: 'ok', queue: 'ok' }),
    getSchema: () => ({}),
  };
};

type Found = { readonly name: string; readonly route: Route; readonly params: Record<string, string> };

const findRoute = (method: string, path: string): Found | null => {
  // Fixed addresses before those with parameters: /v1/sweeps/plan is not a sweep called plan.
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
  /** Requests so far, by route. */
  readonly requests: Map<string, number>;
  /** Ends every event stream, as a restart would. */
  readonly cutStreams: () => void;
  readonly close: () => Promise<void>;
};

/** `refuse`: answers instead of a handler where it gives a code. */
export const startFakeApi = async (
  world: World,
  options: { readonly dist: string; readonly refuse?: (name: string) => ErrorCode | null },
): Promise<FakeApi> => {
  const streams = new Set<ServerResponse>();
  const requests = new Map<string, number>();
  const handle = handlers(world);

  const stream = (request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: 200\nid: ${world.events.length}\n:\n\n`);
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
        // As strict as a careful server would be.
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
