/**
 * Every leaf of every body, query and header takes its extremes alone, then pairs of leaves do. No answer may be a fault of the service or
 * long, and no request may write more rows than the plan of its sweep says. Another client asks small questions meanwhile.
 * FUNNEL_FUZZ_REQUESTS sets the number of pairs; with it, all extremes are sent, and the test prints times and memory.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Plan, Problem } from '@funnel/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOpenApiDocument } from '../../src/openapi.ts';
import { build, oneTrial, type TestApp } from '../build.ts';
import { operationsOf } from './generate-request.ts';
import type { Schema } from './generate-value.ts';
import { bodyWith, type Change, extremes, extremeTexts, leavesOf, randomChange, readWith } from './leaves.ts';
import { openNeighbour } from './neighbour.ts';
import { createRandom } from './strange-values.ts';

const isLong = process.env.FUNNEL_FUZZ_REQUESTS !== undefined;
const pairs = Number(process.env.FUNNEL_FUZZ_REQUESTS ?? 150);
const seed = Number(process.env.FUNNEL_FUZZ_SEED ?? 1);
/** Without `npm run fuzz`, this share of the extremes is sent. */
const share = isLong ? 1 : 0.03;

/** Bytes of a refusal, and of the plan of any sweep. */
const longestAnswer = 64 * 1024;
/** Sweeps of up to this many stages are also submitted. */
const maxSubmitted = 50;

let api: TestApp;
let url: string;
let neighbour: ReturnType<typeof openNeighbour>;
beforeAll(async () => {
  api = await build({
    limits: {
      requestsPerMinute: 1e9,
      planningSeconds: 3,
      planSeconds: 100,
      ownSubmissions: 1e9,
      ownSweeps: 1e9,
    },
  });
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  neighbour = openNeighbour(url);
});
afterAll(async () => {
  await neighbour.close();
  await api.close();
});

const document = createOpenApiDocument('fuzz');
const schemas = (document as unknown as { components: { schemas: Record<string, Schema> } }).components
  .schemas;
const resolve = (ref: string): Schema => schemas[ref.split('/').at(-1)!]!;
const operations = operationsOf(document);
const random = createRandom(seed);

const slowest = { ms: 0, what: '' };
const statuses = new Map<string, number>();

type Sent = { readonly status: number; readonly body: string };

const send = async (
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Sent> => {
  const start = performance.now();
  const stop = new AbortController();
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body }),
    signal: stop.signal,
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const text = isStream ? '' : await response.text();
  if (isStream) stop.abort();
  const ms = Math.round(performance.now() - start);
  if (ms > slowest.ms)
    Object.assign(slowest, { ms, what: `${method} ${path.slice(0, 80)} ${body?.slice(0, 200) ?? ''}` });
  return { status: response.status, body: text };
};

const check = (what: string, { status, body }: Sent): void => {
  const key = `${what.split(' ')[0]} ${status}`;
  statuses.set(key, (statuses.get(key) ?? 0) + 1);
  const shown = `${what.slice(0, 300)} → ${status} ${body.slice(0, 300)}`;
  expect(status, shown).toBeLessThan(500);
  expect(Buffer.byteLength(body), shown).toBeLessThan(longestAnswer);
  if (status >= 400) expect(Problem.safeParse(JSON.parse(body)).success, shown).toBe(true);
};

const countStages = async (): Promise<number> =>
  (await api.db.pool.query('SELECT count(*)::int AS n FROM stages')).rows[0].n;

const json = { 'content-type': 'application/json' };

/** Plans a sweep. If it is small, also submits it, and compares the rows with the plan. */
const plan = async (what: string, body: string): Promise<void> => {
  const planned = await send('POST', '/v1/sweeps/plan', json, body);
  check(`planSweep ${what}`, planned);
  if (planned.status !== 200) return;
  const { stages } = JSON.parse(planned.body) as Plan;
  const total = Object.values(stages).reduce((sum, kind) => sum + kind.total, 0);
  if (total > maxSubmitted) return;
  const before = await countStages();
  check(`createSweep ${what}`, await send('POST', '/v1/sweeps', json, body));
  expect((await countStages()) - before, what).toBeLessThanOrEqual(total);
};

const sweepPaths = leavesOf({ $ref: '#/components/schemas/SweepDefinition' }, resolve);
const describeChanges = (changes: readonly Change[]): string =>
  changes.map(({ path, json }) => `${path.join('.')} = ${json.slice(0, 40)}`).join(', ');

test('every leaf takes its extremes alone', { timeout: 3_600_000 }, async () => {
  expect(sweepPaths.length).toBeGreaterThan(150);
  for (const path of sweepPaths)
    for (const value of extremes)
      if (random.chance(share)) {
        const change = { path, json: value };
        await plan(describeChanges([change]), bodyWith(oneTrial, [change]));
      }
  for (const operation of operations) {
    const { id, method, body, parameters } = operation;
    if (body && id !== 'createSweep' && id !== 'planSweep')
      for (const path of leavesOf(body, resolve))
        for (const value of extremes)
          if (random.chance(share)) {
            const change = { path, json: value };
            const sent = await send(method, operation.path, json, bodyWith({}, [change]));
            check(`${id} ${describeChanges([change])}`, sent);
          }
    for (const { name } of parameters)
      for (const text of extremeTexts)
        if (random.chance(share)) {
          const request = readWith(operation, name, text);
          const isBodiless = body === null;
          const sent = await send(
            method,
            request.url,
            { ...request.headers, ...(isBodiless ? {} : json) },
            isBodiless ? undefined : JSON.stringify(oneTrial),
          );
          check(`${id} ${name}=${text.slice(0, 40)}`, sent);
        }
  }
});

test(`${pairs} pairs of seed ${seed}`, { timeout: 3_600_000 }, async () => {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  for (let i = 0; i < pairs; i++) {
    const changes = [randomChange(random, sweepPaths), randomChange(random, sweepPaths)];
    await plan(describeChanges(changes), bodyWith(oneTrial, changes));
  }
  const report = await neighbour.report();
  expect(report.requests).toBeGreaterThan(0);
  expect(report.failed).toBe(0);
  if (!isLong) return;
  console.log(Object.fromEntries([...statuses].sort()));
  console.log(`slowest answer: ${slowest.ms} ms to ${slowest.what}`);
  console.log(`longest gap of the event loop, with this client in it: ${Math.round(delay.max / 1e6)} ms`);
  console.log(`another client: ${report.requests} requests, slowest ${report.slowestMs} ms`);
  console.log(`memory: ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`);
});
