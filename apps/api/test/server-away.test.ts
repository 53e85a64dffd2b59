/** The API as a process without its queue, or with a database that accepts no connections for a while. */
import { createLimitedRole, createTestDatabase, type Gate, startGate, throughGate } from '@funnel/db/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { hasRedis, startRedis } from '../../../packages/queue/test/redis-server.ts';
import { listening, runApi, says, stopped, waiting } from './api-process.ts';
import { oneTrial } from './build.ts';

const ready = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, body: await response.json() };
};
const isReady = (url: string): Promise<void> =>
  vi.waitFor(
    async () =>
      expect(await ready(url)).toEqual({
        status: 200,
        body: { status: 'ok', database: 'ok', queue: 'ok' },
      }),
    waiting,
  );
const lacks = (part: string, url: string): Promise<void> =>
  vi.waitFor(
    async () =>
      expect(await ready(url)).toMatchObject({
        status: 503,
        body: { code: 'UNAVAILABLE', detail: `Expected the ${part} to answer, but it does not` },
      }),
    waiting,
  );

const submits = async (url: string): Promise<number> => {
  const { status } = await fetch(`${url}/v1/sweeps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(oneTrial),
  });
  return status;
};

const openDatabase = async () => {
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  return database;
};

const postgresQueue = async () => {
  const database = await createTestDatabase({ migrated: false });
  const gate = await startGate(Number(new URL(database.url).port));
  onTestFinished(async () => {
    await gate.close();
    await database.drop();
  });
  return { url: throughGate(database.url, gate), gate };
};

const redisQueue = async () => {
  const server = await startRedis();
  const gate = await startGate(server.port);
  onTestFinished(async () => {
    await gate.close();
    await server.stop();
  });
  return { url: throughGate(server.url, gate), gate };
};

const queues = [
  ['PostgreSQL', postgresQueue],
  ...(hasRedis ? [['Redis', redisQueue] as const] : []),
] as const;
const absences = [
  ['whose port is closed', (gate: Gate) => gate.close()],
  ['that answers nothing', async (gate: Gate) => gate.stall()],
] as const;

describe.each(queues)('an API with its queue on a %s', (_, openQueue) => {
  test.each(absences)(
    '%s: it starts, takes sweeps, is ready when the queue is back, and ends without the queue',
    async (_what, leave) => {
      const { url: DATABASE_URL } = await openDatabase();
      const queue = await openQueue();
      await leave(queue.gate);
      const api = runApi({ DATABASE_URL, REDIS_URL: queue.url });
      const url = await listening(api);
      await lacks('queue', url);
      expect(await submits(url)).toBe(201);
      await queue.gate.open();
      await isReady(url);
      await leave(queue.gate);
      await lacks('queue', url);
      await queue.gate.open();
      await isReady(url);
      await leave(queue.gate);
      expect(await stopped(api)).toBe(0);
    },
  );
});

describe('an API whose database', () => {
  test('accepts no more connections: it waits at the start, and is ready when there is room', async () => {
    const database = await createTestDatabase();
    const role = await createLimitedRole(database.url);
    onTestFinished(async () => {
      await database.drop();
      await role.drop();
    });
    await role.limit();
    const api = runApi({ DATABASE_URL: role.url });
    await says(api, 'the database accepts no connections now: waiting until it does');
    await role.admit();
    const url = await listening(api);
    await isReady(url);
    await role.limit();
    await vi.waitFor(async () => expect((await ready(url)).status).toBe(503), waiting);
    await role.admit();
    await isReady(url);
    expect(await submits(url)).toBe(201);
    expect(await stopped(api)).toBe(0);
  });

  test('does not answer: it ends on SIGTERM, and names the parts that did not close', async () => {
    const database = await createTestDatabase();
    const gate = await startGate(Number(new URL(database.url).port));
    onTestFinished(async () => {
      await gate.close();
      await database.drop();
    });
    const api = runApi({ DATABASE_URL: throughGate(database.url, gate) });
    const url = await listening(api);
    const events = await fetch(`${url}/v1/events`); // this opens a listening connection, too
    gate.stall();
    await lacks('database', url);
    const code = await stopped(api);
    await events.body?.cancel();
    const open = api.lines().filter(({ msg }) => msg === 'part did not close in time');
    expect(code).toBe(open.length > 0 ? 1 : 0);
    expect(open.map(({ what }) => what)).toContain('database');
  });
});
