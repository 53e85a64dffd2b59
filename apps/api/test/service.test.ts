import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hyperparameterNames } from '@funnel/contracts';
import { registerWorker } from '@funnel/db';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { reconcilerPlugin } from '../src/reconciler.ts';
import { build, createFakeQueue, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build();
});
afterAll(() => api.close());

const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ url, headers });

describe('the service', () => {
  test('is healthy, and ready while its parts answer', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await get('/readyz')).json()).toEqual({ status: 'ok', database: 'ok', queue: 'ok' });
  });

  test('is not ready when the queue does not answer', async () => {
    const away = await build({
      queue: { ...createFakeQueue(), ping: () => Promise.reject(new Error('away')) },
    });
    const response = await away.app.inject('/readyz');
    expect(response.json()).toMatchObject({
      status: 503,
      code: 'UNAVAILABLE',
      detail: expect.stringContaining('queue'),
    });
    await away.close();
  });

  test('serves its OpenAPI document, and a page that shows it without the internet', async () => {
    expect((await get('/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
    const page = await get('/docs/');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toMatch(/text\/html/);
    const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part).toMatch(/^\.?\//);
      expect((await get(new URL(part, 'http://localhost/docs/').pathname)).statusCode, part).toBe(200);
    }
    expect((await get('/docs/json')).json()).toEqual((await get('/openapi.json')).json());
  });

  test('serves the reference as one page', async () => {
    const page = await get('/reference');
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain('<h3 id="hyperparameters-gamma"><code>gamma</code></h3>');
  });

  test('lists every hyperparameter, attack, data set and preset for forms', async () => {
    const schema = (await get('/v1/schema')).json();
    expect(Object.keys(schema.hyperparameters)).toEqual(hyperparameterNames);
    expect(schema.hyperparameters.gamma).toMatchObject({
      title: 'γ',
      default: 5,
      schema: { type: 'number' },
      recipes: ['funn'],
    });
    expect(schema.attacks.fgsm).toMatchObject({ norm: 'linf', settings: { properties: { epsilon: {} } } });
    expect(schema.datasets.mnist).toMatchObject({ train: 60_000, shape: [28, 28, 1] });
    expect(schema.presets.quick.attacks['fashion-mnist']).toContainEqual({
      attack: 'pgd-linf',
      epsilon: 0.1,
    });
  });

  test('has metrics for Prometheus', async () => {
    const worker = { id: 'w', host: 'h', pid: 1, version: '1', backend: 'cpu', device: '', slots: 3 };
    await registerWorker(api.db, worker);
    await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
    // The relay notifies the queue after the commit, at about the time of the answer.
    await vi.waitFor(() => expect(api.queue.notifications).toHaveLength(1), 30_000);
    const response = await get('/metrics');
    expect(response.headers['content-type']).toMatch(/^text\/plain/);
    const lines = response.body.split('\n');
    for (const line of [
      'funnel_stages{kind="initialise",status="ready"} 1',
      'funnel_stages{kind="attack",status="waiting"} 1',
      'funnel_stages_claimable 1',
      'funnel_queue_jobs{state="waiting"} 1',
      'funnel_workers{status="online"} 1',
      'funnel_worker_slots{status="online"} 3',
      'funnel_leases_expired_total 0',
      'funnel_writes_fenced_total 0',
      'funnel_part_up{part="database"} 1',
      'funnel_event_streams 0',
      'funnel_http_request_seconds_count{route="createSweep",status="201"} 1',
    ])
      expect(lines).toContain(line);
    expect((await get('/v1/workers')).json()).toMatchObject({
      items: [{ ...worker, status: 'online', running: [] }],
    });
  });
});

describe('the dashboard', () => {
  test('that has not been built is a plain page with links', async () => {
    const response = await get('/', { accept: 'text/html' });
    expect(response.headers['content-type']).toMatch(/text\/html/);
    for (const [, url] of response.body.matchAll(/href="([^"]+)"/g))
      expect([200, 302], url).toContain((await get(url!)).statusCode);
  });

  test('that has been built is served with its own routes, beside the routes of the API', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'funnel-web-'));
    await mkdir(path.join(folder, 'assets'));
    await writeFile(path.join(folder, 'index.html'), '<title>Dashboard</title>');
    await writeFile(path.join(folder, 'assets', 'main-0a1b.js'), 'export {};');
    const own = await build({ webFolder: folder });
    const page = (url: string) => own.app.inject({ url, headers: { accept: 'text/html,*/*' } });
    const start = await page('/');
    expect([start.statusCode, start.body]).toEqual([200, '<title>Dashboard</title>']);
    expect(start.headers['cache-control']).toBe('no-cache');
    for (const [url, address] of [
      ['/sweeps/17', '../#/sweeps/17'],
      ['/sweeps/17/results?attack=0', '../../#/sweeps/17/results?attack=0'],
      ['/leaderboard?attack=fgsm', './#/leaderboard?attack=fgsm'],
      ['/trials/0a1b2c3d4e5f6071-00003', '../#/trials/0a1b2c3d4e5f6071-00003'],
      ['/frob', './#/frob'],
      ['//elsewhere.example/x', '../../#//elsewhere.example/x'],
    ] as const) {
      const { statusCode, headers } = await page(url);
      expect([url, statusCode, headers.location]).toEqual([url, 302, address]);
    }
    const script = await own.app.inject('/assets/main-0a1b.js');
    expect(script.headers['cache-control']).toMatch(/immutable/);
    for (const url of ['/v1/nothing', '/assets/none.js', '/favicon.png', '/docs/nothing'])
      expect([url, (await page(url)).statusCode]).toEqual([url, 404]);
    for (const url of [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/assets/..%5c..%5cx',
    ])
      expect((await own.app.inject(url)).body).not.toMatch(/"name"|root:/);
    for (const url of [
      '/%00',
      '/sweeps/a%00b',
      '/v1/stages/%00/images',
      `/v1/stages/${'x'.repeat(200)}/%00%1b`,
    ])
      expect([url, (await page(url)).json()]).toMatchObject([url, { status: 400, code: 'INVALID_REQUEST' }]);
    expect(
      (await own.app.inject({ url: '/sweeps/17', headers: { accept: 'application/json' } })).statusCode,
    ).toBe(404);
    await own.close();
    await rm(folder, { recursive: true });
  });
});

test('while it listens, it notifies again of stages that are still ready', async () => {
  const own = await build({ reconcileSeconds: 0.02 });
  await own.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
  await vi.waitFor(() => expect(own.queue.notifications).toHaveLength(1), 30_000);
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  await vi.waitFor(() => expect(own.queue.notifications.length).toBeGreaterThan(1), 30_000);
  expect(new Set(own.queue.notifications)).toHaveLength(1);
  await own.close();
});

test('it closes at once although clients hold connections open, and completes its answers first', async () => {
  const own = await build({ queue: { ...createFakeQueue(), ping: () => answer } });
  let release = (): void => {};
  const answer = new Promise<void>((resolve) => {
    release = resolve;
  });
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = own.app.server.address() as AddressInfo;
  const unused = connect(port, '127.0.0.1');
  await once(unused, 'connect');
  await fetch(`http://127.0.0.1:${port}/healthz`); // its connection is kept
  const arrived = once(own.app.server, 'request');
  const slow = fetch(`http://127.0.0.1:${port}/readyz`);
  await arrived;
  const closed = own.app.close();
  await once(unused.resume(), 'close');
  release();
  expect((await slow).status).toBe(200);
  await closed;
  await own.db.close();
});

test('a plugin refuses to load without the plugins that it depends on', async () => {
  await expect(fastify().register(reconcilerPlugin, {} as never)).rejects.toThrow(
    /dependency 'access' of plugin 'reconciler' is not registered/,
  );
});
