/** A worker goes on without its queue, waits while its database accepts no connections, and in both cases ends when it is told to stop. */
import { once } from 'node:events';
import { createDb } from '@funnel/db';
import { createLimitedRole, createTestDatabase, type Gate, startGate, throughGate } from '@funnel/db/testing';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasRedis, startRedis } from '../../../packages/queue/test/redis-server.ts';
import { startWorker } from '../src/index.ts';
import { forkWorker, openTestDatabase, submit, sweepEnded, until, workerProcess } from './fixtures.ts';

type Queue = { readonly url: string; readonly gate: Gate };

const postgresQueue = async (): Promise<Queue> => {
  const database = await createTestDatabase({ migrated: false });
  const gate = await startGate(Number(new URL(database.url).port));
  onTestFinished(async () => {
    await gate.close();
    await database.drop();
  });
  return { url: throughGate(database.url, gate), gate };
};

const redisQueue = async (): Promise<Queue> => {
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

describe.each(queues)('a worker with its queue on a %s', (_, openQueue) => {
  it.each(absences)('%s works and ends without it', async (_what, leave) => {
    const db = await openTestDatabase();
    const { url, gate } = await openQueue();
    await leave(gate);
    const { child } = await workerProcess(db, { queueUrl: url });
    await sweepEnded(db, await submit(db));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each(absences)('%s after it has started works and ends without it', async (_what, leave) => {
    const db = await openTestDatabase();
    const { url, gate } = await openQueue();
    const { child } = await workerProcess(db, { queueUrl: url });
    await sweepEnded(db, await submit(db));
    await leave(gate);
    await sweepEnded(db, await submit(db, undefined, 'another'));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('a database that accepts no more connections', () => {
  it('workers that start wait, running ones connect again, and each ends when it is told to stop', async () => {
    const database = await createTestDatabase();
    const role = await createLimitedRole(database.url);
    const db = createDb(database.url);
    onTestFinished(async () => {
      await db.close();
      await database.drop();
      await role.drop();
    });
    await role.limit(0);
    const options = { databaseUrl: role.url, slots: 1, leaseSeconds: 3 };
    const waiting = forkWorker(options);
    const firstEnds = once(waiting.child, 'exit');
    await role.limit(6);
    // Each worker needs about 8 connections.
    const workers = [waiting, ...Array.from({ length: 3 }, () => forkWorker(options))];
    await until(async () => expect((await role.connections()).length).toBe(6));
    const sweep = await submit(db);
    await role.admit();
    await Promise.all(workers.map(({ started }) => started));
    await sweepEnded(db, sweep);
    await until(async () => {
      const { rows } = await db.pool.query(
        "SELECT count(*)::int AS alive FROM workers WHERE heartbeat_at > now() - interval '3 seconds'",
      );
      expect(rows).toEqual([{ alive: 4 }]);
    });
    const ends = [firstEnds, ...workers.slice(1).map(({ child }) => once(child, 'exit'))];
    for (const { child } of workers) child.kill('SIGTERM');
    expect(await Promise.all(ends)).toEqual(workers.map(() => [0, null]));
  });
});

describe('a worker whose database is away', () => {
  it('says each fault once, however often it tries, and goes on when the database is back', async () => {
    const db = await openTestDatabase();
    const gate = await startGate(Number(new URL(db.url).port));
    onTestFinished(() => gate.close());
    const lines: { readonly msg: string; readonly error: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const started = await startWorker({
      databaseUrl: throughGate(db.url, gate),
      slots: 1,
      simulation: {},
      leaseSeconds: 3,
      log,
    });
    onTestFinished(started.stop);
    gate.slam(); // accepts every connection, and cuts it at once
    const before = gate.attempts();
    await until(async () => expect(gate.attempts()).toBeGreaterThan(before + 40));
    const said = lines.map(({ msg, error }) => `${msg}: ${error}`);
    expect(said.length).toBeGreaterThan(0);
    expect(said.length).toBe(new Set(said).size);
    await gate.open();
    await sweepEnded(db, await submit(db));
  });
});

describe('a worker that starts before its database', () => {
  const startAt = async (leave: (gate: Gate) => unknown) => {
    const db = await openTestDatabase();
    const gate = await startGate(Number(new URL(db.url).port));
    onTestFinished(() => gate.close());
    await leave(gate);
    const lines: { readonly msg: string; readonly error: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const stopping = new AbortController();
    const starting = startWorker({
      ...{ databaseUrl: throughGate(db.url, gate), slots: 1, simulation: {}, log },
      signal: stopping.signal,
    });
    starting.catch(() => {}); // a test awaits it later
    const waits = () => until(async () => expect(lines).not.toEqual([]));
    return { db, gate, lines, stopping, starting, waits };
  };

  it.each([
    ['whose port is closed', (gate: Gate) => gate.close()],
    ['that cuts every connection', async (gate: Gate) => gate.slam()],
  ])('%s says so once, waits, and works when it is there', async (_what, leave) => {
    const { db, gate, lines, starting, waits } = await startAt(leave);
    await waits();
    expect(lines.map(({ msg }) => msg)).toEqual([
      'waiting for the database: trying again until it answers, every 5 s at the longest',
    ]);
    expect(lines[0]!.error).toMatch(/^PostgreSQL cannot be reached: /);
    await gate.open();
    const worker = await starting;
    onTestFinished(worker.stop);
    await sweepEnded(db, await submit(db));
  });

  it.each([
    ['between two tries', (gate: Gate) => gate.close()],
    ['during a try', async (gate: Gate) => gate.stall()],
  ])('ends at once when it is told to stop %s', async (_what, leave) => {
    const { stopping, starting, waits, lines } = await startAt(leave);
    if (_what === 'between two tries') await waits();
    const told = performance.now();
    stopping.abort();
    await expect(starting).rejects.toThrow('This operation was aborted');
    expect(performance.now() - told).toBeLessThan(5000); // a try may take 10 s
    expect(lines.length).toBeLessThan(2);
  });

  it('does not wait for a database that refuses its password', async () => {
    const db = await openTestDatabase();
    const url = new URL(db.url);
    url.username = 'nobody-of-this-name';
    url.password = 'wrong';
    await expect(
      startWorker({ databaseUrl: url.href, slots: 1, simulation: {}, log: pino({ level: 'silent' }) }),
    ).rejects.toThrow(/^PostgreSQL answers, but it refuses the user or the password/);
  });
});
