/** The behaviour that every backend of the queue must have, on real servers. */
import { createTestDatabase } from '@funnel/db/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createStageQueue, type StageQueue } from '../src/stage-queue.ts';
import { hasRedis, startRedis } from './redis-server.ts';

type Server = {
  readonly url: string;
  /** Breaks every connection. Resolves when the server is back. */
  readonly interrupt: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const openRedis = async (): Promise<Server> => {
  const { url, kill, start, stop } = await startRedis();
  return { url, stop, interrupt: () => kill().then(start) };
};

const openPostgres = async (): Promise<Server> => {
  const { url, drop } = await createTestDatabase();
  const interrupt = async (): Promise<void> => {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await client.end();
  };
  return { url, interrupt, stop: drop };
};

if (!hasRedis) {
  const how =
    'redis-server is not installed, so the queue is not tested on Redis: install it (Debian: apt-get install redis-server)';
  if (process.env.FUNNEL_REQUIRE_ALL) throw new Error(how);
  console.warn(how);
}

const stage = (i: number): string => i.toString(16).padStart(64, '0');

describe.each([['postgres', openPostgres], ...(hasRedis ? [['redis', openRedis] as const] : [])] as const)(
  'the stage queue on %s',
  (_, openServer) => {
    let server: Server;
    const open: StageQueue[] = [];
    let runs = 0;
    /** A new queue for every test, opened `clients` times, as by several processes. */
    const queues = async <const N extends number>(clients: N): Promise<StageQueue[]> => {
      const name = `test-${process.pid}-${runs++}`;
      const made = await Promise.all(
        Array.from({ length: clients }, () => createStageQueue({ url: server.url, name })),
      );
      open.push(...made);
      return made;
    };
    const listen = async (queue: StageQueue, received: string[], concurrency = 4) =>
      queue.listen(async (id) => void received.push(id), { concurrency });

    beforeAll(async () => {
      server = await openServer();
    });
    afterEach(async () => void (await Promise.all(open.splice(0).map((queue) => queue.close()))));
    afterAll(() => server.stop());

    it('announces each stage to one listener', async () => {
      const [publisher, a, b] = await queues(3);
      const [receivedA, receivedB]: [string[], string[]] = [[], []];
      await listen(a!, receivedA);
      await listen(b!, receivedB);
      const stages = Array.from({ length: 40 }, (_, i) => stage(i));
      await publisher!.notify(stages);
      await vi.waitFor(() => expect([...receivedA, ...receivedB].sort()).toEqual(stages), {
        timeout: 10_000,
      });
    });

    it('keeps notifications until a listener starts, and removes received ones', async () => {
      const [queue] = await queues(1);
      await queue!.notify([stage(1), stage(2)]);
      expect(await queue!.counts()).toEqual({ waiting: 2, active: 0 });
      const received: string[] = [];
      await listen(queue!, received);
      await vi.waitFor(() => expect(received.sort()).toEqual([stage(1), stage(2)]), { timeout: 10_000 });
      await vi.waitFor(async () => expect(await queue!.counts()).toEqual({ waiting: 0, active: 0 }), 30_000);
    });

    it('announces a stage once until its notification is received, and again after that', async () => {
      const [queue] = await queues(1);
      await queue!.notify([stage(1)]);
      await queue!.notify([stage(1), stage(1)]);
      expect((await queue!.counts()).waiting).toBe(1);
      const received: string[] = [];
      await listen(queue!, received);
      await vi.waitFor(() => expect(received).toEqual([stage(1)]), { timeout: 10_000 });
      await vi.waitFor(async () => expect((await queue!.counts()).active).toBe(0), 30_000);
      await queue!.notify([stage(1)]);
      await vi.waitFor(() => expect(received).toEqual([stage(1), stage(1)]), { timeout: 10_000 });
    });

    it('accepts an id of only digits, and an empty list', async () => {
      const [queue] = await queues(1);
      await queue!.notify([]);
      await queue!.notify(['1'.repeat(64)]); // BullMQ refuses a job id of only digits
      expect((await queue!.counts()).waiting).toBe(1);
    });

    it('calls a listener for at most `concurrency` notifications at a time', async () => {
      const [queue] = await queues(1);
      let active = 0;
      let maxActive = 0;
      const waiting: (() => void)[] = [];
      await queue!.listen(
        async () => {
          maxActive = Math.max(maxActive, ++active);
          await new Promise<void>((resolve) => waiting.push(resolve));
          active--;
        },
        { concurrency: 3 },
      );
      await queue!.notify(Array.from({ length: 6 }, (_, i) => stage(i)));
      await vi.waitFor(() => expect(waiting).toHaveLength(3), { timeout: 10_000 });
      for (const release of waiting.splice(0)) release();
      await vi.waitFor(() => expect(waiting).toHaveLength(3), { timeout: 10_000 });
      for (const release of waiting.splice(0)) release();
      await vi.waitFor(() => expect(active).toBe(0), 30_000);
      expect(maxActive).toBe(3);
    });

    it('goes on after a listener failed, and the stage can be announced again', async () => {
      const [queue] = await queues(1);
      const received: string[] = [];
      await queue!.listen(
        async (id) => {
          received.push(id);
          if (received.length === 1) throw new Error('the first one fails');
        },
        { concurrency: 1 },
      );
      await queue!.notify([stage(1)]);
      await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 10_000 });
      await vi.waitFor(async () => expect(await queue!.counts()).toEqual({ waiting: 0, active: 0 }), 30_000);
      await queue!.notify([stage(1)]);
      await vi.waitFor(() => expect(received).toEqual([stage(1), stage(1)]), { timeout: 10_000 });
    });

    it('is empty after clear, and goes on', async () => {
      const [queue] = await queues(1);
      await queue!.notify([stage(1), stage(2)]);
      await queue!.clear();
      expect((await queue!.counts()).waiting).toBe(0);
      const received: string[] = [];
      await listen(queue!, received);
      await queue!.notify([stage(3)]);
      await vi.waitFor(() => expect(received).toEqual([stage(3)]), { timeout: 10_000 });
    });

    it('delivers notifications again after an interruption of the server', async () => {
      const [publisher, listener] = await queues(2);
      const received: string[] = [];
      await listen(listener!, received);
      await publisher!.notify([stage(1)]);
      await vi.waitFor(() => expect(received).toContain(stage(1)), { timeout: 10_000 });
      await server.interrupt();
      // Announces the stage again and again like the reconciler, until the notification is received.
      await vi.waitFor(
        async () => {
          await publisher!.notify([stage(2)]);
          expect(received).toContain(stage(2));
        },
        { timeout: 30_000, interval: 500 },
      );
    });

    it('answers a ping, closes twice, and refuses notifications after that', async () => {
      const [queue] = await queues(1);
      await queue!.ping();
      await listen(queue!, []);
      await Promise.all([queue!.close(), queue!.close()]);
      await expect(queue!.notify([stage(1)])).rejects.toThrow();
    });
  },
);

describe('an address', () => {
  it('of another kind of server is refused', async () => {
    await expect(createStageQueue({ url: 'amqp://localhost' })).rejects.toThrow(
      /Expected a queue address of redis:.*got amqp:/,
    );
  });

  it.runIf(hasRedis)('without a server opens, and rejects notifications', async () => {
    const { url, stop } = await startRedis();
    await stop();
    const queue = await createStageQueue({ url });
    await expect(queue.notify([stage(1)])).rejects.toThrow();
    await expect(queue.ping()).rejects.toThrow();
    await queue.close();
  });
});
