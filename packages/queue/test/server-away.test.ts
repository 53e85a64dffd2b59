/** A queue recovers from every kind of absence of its server, and closes even during one. The tests use real servers behind a gate. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createLimitedRole, createTestDatabase, type Gate, startGate, throughGate } from '@funnel/db/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createStageQueue } from '../src/stage-queue.ts';
import { hasRedis, startRedis } from './redis-server.ts';

type Server = {
  readonly gate: Gate;
  /** The address of the server through the gate. */
  readonly url: string;
  /** The address of the server without the gate. */
  readonly direct: string;
  /** The server disconnects the clients of `url`, and accepts no new ones until `admit`. */
  readonly refuse: () => Promise<void>;
  readonly admit: () => Promise<void>;
  /** The server's names of the connections from clients of `url`. */
  readonly connections: () => Promise<readonly string[]>;
  readonly kill: (connection: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

const openRedis = async (): Promise<Server> => {
  const server = await startRedis();
  const gate = await startGate(server.port);
  const redis = new Redis(server.url);
  const kill = async (id: string): Promise<void> => void (await redis.client('KILL', 'ID', id));
  const connections = async (): Promise<string[]> => {
    const own = String(await redis.client('ID'));
    const list = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'normal'));
    return [...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => id!).filter((id) => id !== own);
  };
  return {
    gate,
    url: throughGate(server.url, gate),
    direct: server.url,
    refuse: async () => {
      await redis.config('SET', 'maxclients', '1');
      for (const id of await connections()) await kill(id);
    },
    admit: async () => void (await redis.config('SET', 'maxclients', '1000')),
    connections,
    kill,
    stop: async () => {
      await gate.close();
      redis.disconnect();
      await server.stop();
    },
  };
};

const openPostgres = async (): Promise<Server> => {
  const database = await createTestDatabase();
  const { url, limit, admit, connections, kill, drop } = await createLimitedRole(database.url);
  const gate = await startGate(Number(new URL(url).port));
  return {
    gate,
    url: throughGate(url, gate),
    direct: url,
    refuse: () => limit(),
    admit,
    connections,
    kill,
    stop: async () => {
      await gate.close();
      await database.drop();
      await drop();
    },
  };
};

const backends = [['postgres', openPostgres], ...(hasRedis ? [['redis', openRedis] as const] : [])] as const;
if (!hasRedis && process.env.FUNNEL_REQUIRE_ALL) throw new Error('redis-server is not installed');

const script = fileURLToPath(new URL('./queue-process.ts', import.meta.url));
/** Nearly the time limit of a test, so that a slow machine causes no failure. */
const wait = { timeout: 100_000, interval: 20 };

type QueueProcess = {
  readonly child: ChildProcess;
  readonly lines: () => readonly string[];
  /** Resolves when the process has printed this line after the line of the previous call. */
  readonly says: (line: string) => Promise<void>;
  readonly ends: () => Promise<{ readonly code: number | null }>;
};

const startProcess = (url: string, name: string): QueueProcess => {
  const child = spawn(process.execPath, ['--import', 'tsx', script, url, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  let text = '';
  let seen = 0;
  child.stdout!.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const lines = (): string[] => text.split('\n').slice(0, -1);
  return {
    child,
    lines,
    says: (line) =>
      vi.waitFor(() => {
        const at = lines().indexOf(line, seen);
        expect(at, `${line} in ${JSON.stringify(lines().slice(seen))}`).toBeGreaterThanOrEqual(0);
        seen = at + 1;
      }, wait),
    ends: async () => {
      child.kill('SIGTERM');
      const [code] = await ended;
      return { code };
    },
  };
};

type Absence = readonly [
  what: string,
  leave: (server: Server) => Promise<void>,
  back: (server: Server) => Promise<void>,
];
const absences: readonly Absence[] = [
  ['whose port is closed', ({ gate }) => gate.close(), ({ gate }) => gate.open()],
  ['that answers nothing', async ({ gate }) => gate.stall(), ({ gate }) => gate.open()],
  ['that cuts every connection', async ({ gate }) => gate.slam(), ({ gate }) => gate.open()],
  ['that refuses every connection', ({ refuse }) => refuse(), ({ admit }) => admit()],
];

describe.each(backends)('a queue on a %s', (backend, openServer) => {
  let server: Server;
  let runs = 0;
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(() => server?.stop());

  const newName = (): string => `away-${runs++}`;
  const stage = (): string => `${runs++}`.padStart(64, 'a');

  /** Announces a stage without the gate, again and again like a reconciler, until the notification is received. */
  const announce = async (name: string, { lines }: QueueProcess): Promise<void> => {
    const publisher = await createStageQueue({ url: server.direct, name });
    const id = stage();
    try {
      await vi.waitFor(
        async () => {
          await publisher.notify([id]);
          expect(lines()).toContain(`received ${id}`);
        },
        { ...wait, interval: 200 },
      );
    } finally {
      await publisher.close();
    }
  };

  it.each(absences)(
    '%s at the opening of the queue delivers when the server is back',
    async (_, leave, back) => {
      const name = newName();
      await leave(server);
      const queue = startProcess(server.url, name);
      await queue.says('away').finally(() => back(server));
      await queue.says('there');
      await announce(name, queue);
      expect(await queue.ends()).toEqual({ code: 0 });
    },
  );

  it('that is away in each of these ways, one after the other, delivers again each time', async () => {
    const name = newName();
    const queue = startProcess(server.url, name);
    await queue.says('there');
    for (const [, leave, back] of absences) {
      await leave(server);
      await queue.says('away').finally(() => back(server));
      await queue.says('there');
      await announce(name, queue);
    }
    expect(await queue.ends()).toEqual({ code: 0 });
  });

  it('that kills its connections one by one delivers again after each', async () => {
    const name = newName();
    const queue = startProcess(server.url, name);
    await queue.says('there');
    await announce(name, queue);
    for (let i = 0; i < 4; i++) {
      const open = await server.connections();
      await server.kill(open[i % open.length]!);
      await announce(name, queue);
    }
    expect(await queue.ends()).toEqual({ code: 0 });
  });

  it.each(absences)(
    '%s when the process is told to end does not keep the process alive',
    async (_, leave, back) => {
      const queue = startProcess(server.url, newName());
      try {
        await queue.says('there');
        await leave(server);
        await queue.says('away');
        expect(await queue.ends()).toEqual({ code: 0 });
        expect(queue.lines().at(-1)).toBe('closed');
      } finally {
        await back(server);
      }
    },
  );

  it('that cuts every connection is tried again after growing pauses, and its fault is reported once', async () => {
    const faults: string[] = [];
    server.gate.slam();
    const before = server.gate.attempts();
    const begun = performance.now();
    const queue = await createStageQueue({
      url: server.url,
      name: newName(),
      onError: ({ message }) => faults.push(message),
    });
    try {
      await vi.waitFor(() => expect(server.gate.attempts() - before).toBeGreaterThanOrEqual(7), wait);
      const attempts = server.gate.attempts() - before;
      // The pauses between the attempts are at least half of 0.1, 0.2, 0.4, … 5 s. A timer is never early.
      const pauses = Array.from({ length: attempts - 1 }, (_, i) => Math.min(5_000, 100 * 2 ** i) / 2);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(pauses.reduce((a, b) => a + b) - attempts);
      expect(faults.length).toBeGreaterThan(0);
      expect(faults).toEqual([...new Set(faults)]);
      await expect(queue.ping()).rejects.toThrow(backend === 'redis' ? /^Redis / : /^PostgreSQL: /);
    } finally {
      await queue.close();
      await server.gate.open();
    }
  });
});
