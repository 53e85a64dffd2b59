/**
 * Requests made from the OpenAPI document: valid ones, nearly valid ones and nonsense. No answer may be a fault of the service. Every refusal
 * is a short problem, and the refused request has written nothing. The long version also prints how long the service was silent.
 */
import { Problem } from '@funnel/contracts';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
// The simulated trainer of the database's tests.
import { claim, drain, finish } from '../../../../packages/db/test/support/simulated-trainer.ts';
import { build, fingerprint, oneTrial, type TestApp } from '../build.ts';
import { operations, resolve } from './api-document.ts';
import { type FuzzRequest, generateRequest, type KnownIds } from './generate-request.ts';
import type { Generator } from './generate-value.ts';
import { heavyBodies } from './heavy-bodies.ts';
import { createRandom, isLong, seed } from './strange-values.ts';
import { type HealthWatch, watchHealth } from './watch-health.ts';

const requests = Number(process.env.FUNNEL_FUZZ_REQUESTS ?? 2500);
/** Refused requests between two checks of the tables. */
const batch = 25;

/** Bytes of a refusal: 50 issues that each name all hyperparameters, or all attacks. */
const longestRefusal = 64 * 1024;
/** For `npm run fuzz`: milliseconds between two answers of `/healthz` on a busy machine. An unbounded computation takes many seconds. */
const longestSilence = 3000;

let api: TestApp;
let health: HealthWatch;
beforeAll(async () => {
  // The API listens on loopback, so it refuses the foreign Host that the generator sometimes sends.
  api = await build({
    limits: {
      requestsPerMinute: 1e9,
      planningSeconds: 3,
      planSeconds: 100,
      ownSubmissions: 1e9,
      ownSweeps: 1e9,
    },
  });
  health = await watchHealth(await api.app.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(async () => {
  await health.close();
  await api.close();
});

/** With `npm run fuzz`, prints how long the service did not answer, and checks that against the limit. */
const reportSilence = async (during: string): Promise<void> => {
  const gap = await health.longestGap();
  if (!isLong) return;
  console.log(`longest gap of /healthz: ${gap} ms during ${during}`);
  expect(gap, during).toBeLessThan(longestSilence);
};

const random = createRandom(seed);
const generator: Generator = { random, resolve };

/** Ids of existing objects. `id` mixes four kinds of objects, so about one in four fits its route. */
const knownIds = async (): Promise<KnownIds> => {
  const some = async (sql: string): Promise<string[]> => {
    const { rows } = await api.db.pool.query<{ id: string }>(`${sql} ORDER BY random() LIMIT 5`);
    return rows.map((row) => row.id);
  };
  const stages = await some('SELECT id FROM stages');
  const attacks = await some('SELECT stage_id AS id FROM evaluations');
  return {
    id: [
      ...(await some('SELECT id FROM sweeps')),
      ...(await some('SELECT id FROM trials')),
      ...stages,
      ...attacks,
    ],
    stage: [...stages, ...attacks],
    hash: await some('SELECT hash AS id FROM checkpoints'),
    network: ['encoder'],
  };
};

/** Completes up to three stages, so that stages, trials and sweeps have every status. */
const completeSomeStages = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) {
    const claimed = await claim(api.db);
    if (claimed) await finish(api.db, claimed);
  }
};

/** Requests delete sweeps. Without one that has ended, no request could read a result. */
const ensureResults = async (): Promise<void> => {
  const { rows } = await api.db.pool.query("SELECT FROM sweeps WHERE status = 'completed' LIMIT 1");
  if (rows.length > 0) return;
  await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial });
  await drain(api.db);
};

type Answer = { readonly status: number; readonly type: string; readonly body: string };

/** The answer, or the beginning of a stream. */
const send = async (
  app: FastifyInstance,
  { method, url, headers, payload }: FuzzRequest,
): Promise<Answer> => {
  const options: InjectOptions = {
    method: method as 'GET',
    url,
    headers,
    ...(payload !== undefined && { payload }),
  };
  const response = await app.inject({ ...options, payloadAsStream: true });
  const type = String(response.headers['content-type'] ?? '');
  const stream = response.stream();
  if (type === 'text/event-stream') {
    stream.destroy();
    return { status: response.statusCode, type, body: '' };
  }
  let body = '';
  for await (const chunk of stream) body += chunk;
  return { status: response.statusCode, type, body };
};

/** The fault of an answer, or null. */
const fault = (request: FuzzRequest, { status, type, body }: Answer): string | null => {
  if (status >= 500) return 'a fault of the service';
  if (status < 400) return null;
  if (!type.startsWith('application/problem+json')) return `a refusal as ${type}`;
  if (request.method === 'HEAD') return null;
  if (Buffer.byteLength(body) > longestRefusal) return `a refusal of ${body.length} characters`;
  const problem = Problem.safeParse(JSON.parse(body));
  if (!problem.success) return 'a problem that does not match its schema';
  return problem.data.status === status ? null : 'a problem with another status';
};

test(`${requests} requests of seed ${seed}`, { timeout: 60_000 + requests * 100 }, async () => {
  await ensureResults();
  const statuses = new Map<string, number>();
  let ids = await knownIds();
  let before = await fingerprint(api.db);
  let refused: FuzzRequest[] = [];

  const checkUnwritten = async (): Promise<void> => {
    expect(await fingerprint(api.db), `written by one of ${JSON.stringify(refused)}`).toBe(before);
    refused = [];
  };

  for (let i = 0; i < requests; i++) {
    if (i % 100 === 99) {
      await checkUnwritten();
      await completeSomeStages();
      await ensureResults();
      ids = await knownIds();
      before = await fingerprint(api.db);
    }
    const request = generateRequest(generator, operations, ids);
    const writes = request.method !== 'GET' && request.method !== 'HEAD';
    // An accepted change writes, so the refused requests before it must be checked first.
    if (writes && refused.length > 0) await checkUnwritten();
    const answer = await send(api.app, request);
    const wrong = fault(request, answer);
    if (wrong)
      throw new Error(
        `${wrong}: ${answer.status} ${answer.body} to request ${i}: ${JSON.stringify(request)}`,
      );
    const key = `${request.operation} ${answer.status}`;
    statuses.set(key, (statuses.get(key) ?? 0) + 1);
    if (answer.status >= 400) refused.push(request);
    else if (writes) {
      before = await fingerprint(api.db);
      ids = await knownIds();
    }
    if (refused.length >= batch) await checkUnwritten();
  }
  await checkUnwritten();

  // The generator must reach every operation.
  const seen = [...statuses.keys()];
  for (const { id } of operations)
    expect(
      seen.some((key) => key.startsWith(`${id} `)),
      `${id} was never called`,
    ).toBe(true);
  for (const key of [
    'createSweep 201',
    'createSweep 400',
    'planSweep 200',
    'getSweep 200',
    'getSweep 404',
    'leaderboard 200',
    'leaderboard 400',
    'getEvaluation 200',
    'getModel 200',
    'getWeights 200',
  ])
    expect(seen).toContain(key);
  // Whether a drawn sweep still runs depends on the time that earlier requests took.
  expect(seen.some((key) => /^cancelSweep (200|409)$/.test(key))).toBe(true);
  if (isLong) console.log(Object.fromEntries([...statuses].sort()));
  await reportSilence(`${requests} requests`);
});

test.each(heavyBodies)(
  '$name: gets a short answer',
  { timeout: 300_000 },
  async ({ name, type, payload }) => {
    const before = await fingerprint(api.db);
    await health.longestGap();
    const request = {
      operation: 'planSweep',
      method: 'POST',
      url: '/v1/sweeps/plan',
      headers: { 'content-type': type },
      payload,
    };
    const answer = await send(api.app, request);
    expect(fault(request, answer)).toBe(null);
    expect(answer.status).toBeLessThan(500);
    expect(Buffer.byteLength(answer.body)).toBeLessThan(longestRefusal);
    expect(await fingerprint(api.db)).toBe(before);
    await reportSilence(name);
  },
);
