/** `funnel up`: killed, started again, started twice, on a full disk, and stopped. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@funnel/client';
import type { SweepInput } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { mountSmallDisk } from '@funnel/db/testing';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { funnel, spawnFunnel } from './funnel.ts';

const home = mkdtempSync(join(tmpdir(), 'funnel-up-'));
chmodSync(home, 0o755); // if root runs the test, PostgreSQL runs as another user

const restored = join(home, 'restored');
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** On Linux: the living processes that `belongs` accepts. */
const processes = (belongs: (pid: string) => boolean): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ') && belongs(pid);
    } catch {
      return false; // the process has ended in the meantime
    }
  });
const serversIn = (folder: string) => processes((pid) => readlinkSync(`/proc/${pid}/cwd`).startsWith(folder));
const servers = () => serversIn(home);
/** Without PostgreSQL, which is a child process too, but is designed to survive its parent. */
const trainersOf = (parent: number) =>
  processes(
    (pid) =>
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1] === String(parent) &&
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('trainer.ts'),
  );

const takenPort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
};

const start = async (port: number, folder = home, env: Readonly<Record<string, string>> = {}) => {
  const child = spawnFunnel(['up', '--port', String(port)], {
    env: { FUNNEL_HOME: folder, FUNNEL_SLOTS: '1', ...env },
    cwd: tmpdir(),
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    // A failed test leaves PostgreSQL running.
    for (const pid of serversIn(folder)) process.kill(Number(pid), 'SIGKILL');
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      words += chunk;
    });
  const said = (pattern: RegExp): Promise<RegExpExecArray> =>
    vi.waitFor(
      () => {
        const match = pattern.exec(words);
        if (!match) throw new Error(`Expected ${pattern}, but so far it said:\n${words}`);
        return match;
      },
      { timeout: 120_000, interval: 50 },
    );
  const [, url] = await said(/Dashboard and API\s+(\S+)\n/);
  return { child, said, url: url!, client: createClient({ url: url! }) };
};

it.runIf(process.platform === 'linux')(
  'survives kill -9, resumes, refuses a second start, takes a free port, leaves nothing running, and starts from a backup',
  async () => {
    const port = await takenPort();
    const first = await start(port);
    await first.said(new RegExp(`Another program has port ${port}, so Funnel takes a free one`));
    expect(first.url).not.toContain(`:${port}`);
    await first.said(/Migrated the database: 0001_init, /);
    await first.said(/0 of 13 stages/);
    await vi.waitFor(
      async () => {
        const { items } = await first.client.listWorkers();
        expect(items[0]?.running.length).toBeGreaterThan(0);
      },
      { timeout: 120_000 },
    );
    const trainers = trainersOf(first.child.pid!);
    expect(trainers.length).toBeGreaterThan(0);
    const [sweep] = (await first.client.listSweeps()).items;

    const second = await funnel(['up'], { env: { FUNNEL_HOME: home } });
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(/already runs in .*: /);
    expect(second.stderr).toContain(first.url);

    first.child.kill('SIGKILL');
    await vi.waitFor(() => expect(processes((pid) => trainers.includes(pid))).toEqual([]), {
      timeout: 60_000,
    });

    const next = await start(0);
    await next.said(/of 13 stages/);
    expect((await next.client.listSweeps()).items.map(({ id }) => id)).toEqual([sweep!.id]);
    next.child.kill('SIGTERM');
    const [status] = await once(next.child, 'exit');
    expect(status).toBe(0);
    expect(servers()).toEqual([]);

    // The backup of docs/operations.md: copy the data folder and its password while nothing runs, and restore both in another folder.
    mkdirSync(restored);
    for (const part of ['pgdata', 'pgdata.password'])
      execFileSync('cp', ['-a', join(home, part), join(restored, part)]);
    const risen = await start(0, restored);
    expect((await risen.client.listSweeps()).items.map(({ id }) => id)).toEqual([sweep!.id]);
    risen.child.kill('SIGINT');
    expect(await once(risen.child, 'exit')).toEqual([0, null]);
  },
  300_000,
);

/** Makes the process throw an error that nothing catches. */
const thrower = `--import=data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => { throw new Error('out of the blue'); })")}`;

it.runIf(process.platform === 'linux')(
  'stops PostgreSQL at every kind of end, and works without a log',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'funnel-up-ends-'));
    chmodSync(folder, 0o755);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const gone = () =>
      vi.waitFor(() => expect(serversIn(folder)).toEqual([]), { timeout: 60_000, interval: 50 });
    const ended = async ({ child }: Awaited<ReturnType<typeof start>>) => {
      const [status] = await once(child, 'exit');
      await gone();
      return status;
    };

    // The reader ends, as in `funnel up 2>&1 | head`. The log cannot be written either.
    mkdirSync(join(folder, 'funnel.log'));
    const unread = await start(0, folder);
    await unread.said(/The log \S+ cannot be written \(EISDIR/);
    expect(serversIn(folder)).not.toEqual([]);
    unread.child.stdout.destroy();
    unread.child.stderr.destroy();
    expect(await ended(unread)).toBe(141);
    rmSync(join(folder, 'funnel.log'), { recursive: true });

    // The terminal is closed.
    const closed = await start(0, folder);
    closed.child.kill('SIGHUP');
    expect(await ended(closed)).toBe(0);

    const broken = await start(0, folder, { NODE_OPTIONS: thrower });
    broken.child.kill('SIGUSR2');
    expect(await ended(broken)).toBe(1);
    await broken.said(
      /! an error was not caught: out of the blue.*Funnel has stopped\..*Error: out of the blue/s,
    );
    expect(readFileSync(join(folder, 'funnel.log'), 'utf8')).toMatch(/"level":60.*out of the blue/);

    // Repeated Ctrl-C: Funnel ends at once, and PostgreSQL shuts down by itself.
    const forced = await start(0, folder);
    const again = setInterval(() => forced.child.kill('SIGINT'), 20);
    onTestFinished(() => clearInterval(again));
    await ended(forced); // the status depends on the time of the last signal
  },
  300_000,
);

/** The embedded database of a folder, as its superuser; closed after the test. */
const openEmbedded = (folder: string) => {
  const port = readFileSync(join(folder, 'pgdata/postmaster.pid'), 'utf8').split('\n')[3];
  const password = readFileSync(join(folder, 'pgdata.password'), 'utf8').trim();
  const db = createDb(`postgres://funnel:${password}@127.0.0.1:${port}/funnel`, {
    max: 1,
    onError: () => {},
  });
  onTestFinished(() => db.close());
  return db.pool;
};

const large = {
  name: 'large',
  recipes: 'funn',
  dataset: { name: 'glyphs', train: 100, test: 20, attack: 10 },
  space: { gamma: { min: 1, max: 64, count: 1000 } },
  attacks: ['fgsm'],
} satisfies SweepInput;

it.runIf(process.platform === 'linux')(
  'waits while its disk is full, even when PostgreSQL ends, and goes on by itself',
  { timeout: 300_000 },
  async ({ skip }) => {
    const disk = mountSmallDisk(200);
    if (!disk) return skip();
    onTestFinished(disk.unmount);
    const folder = join(disk.folder, 'home');
    const { child, client, said, url } = await start(0, folder);
    const sweep = async () => (await client.listSweeps()).items[0]!;
    const isReady = async () => (await fetch(`${url}/readyz`)).status;
    await vi.waitFor(async () => expect((await sweep()).progress).toBeGreaterThan(0), { timeout: 120_000 });

    // There is no room for rows: the API answers requests that need no room, and refuses the others with a hint.
    disk.fill();
    await expect(client.createSweep({ body: large })).rejects.toMatchObject({
      status: 507,
      problem: { code: 'STORAGE_FULL', hint: 'Free disk space, or run `npx funnel gc`.' },
    });
    expect(await isReady()).toBe(200);

    // There is no room for PostgreSQL's write-ahead log: PostgreSQL ends, and cannot start.
    const database = openEmbedded(folder);
    const growLog = async (): Promise<void> => {
      for (;;)
        await database.query(
          "SELECT pg_logical_emit_message(false, 'funnel', repeat('x', 10000000)), pg_switch_wal()",
        );
    };
    await expect(growLog()).rejects.toThrow();
    disk.fill();
    await said(
      /PostgreSQL in \S+ could not be started: .*No space left on device.*tries again until it starts/s,
    );
    expect(await isReady()).toBe(503);

    disk.free();
    await said(/! PostgreSQL runs again\n/);
    await vi.waitFor(async () => expect(await isReady()).toBe(200), { timeout: 60_000 });
    const { progress } = await sweep();
    await vi.waitFor(async () => expect((await sweep()).progress).toBeGreaterThan(progress), {
      timeout: 120_000,
    });
    const { rows } = await database.query(
      "SELECT count(*)::int AS failed FROM attempts WHERE outcome = 'failed'",
    );
    expect(rows).toEqual([{ failed: 0 }]);
    expect((await client.listSweeps()).items.map(({ name }) => name)).not.toContain('large');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(serversIn(folder)).toEqual([]);
  },
);

it.runIf(process.platform === 'linux')(
  'goes on serving when its worker ends by itself, reports the end, and starts another worker',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'funnel-up-worker-'));
    chmodSync(folder, 0o755);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const { child, said, client } = await start(0, folder);
    const before = (await client.listWorkers()).items.map(({ id }) => id);
    // A worker ends if its trainers die again and again.
    const killing = setInterval(() => {
      for (const pid of trainersOf(child.pid!)) process.kill(Number(pid), 'SIGKILL');
    }, 100);
    onTestFinished(() => clearInterval(killing));
    await said(/the worker ended; Funnel starts another one in 1 s: Another process killed the trainer/);
    expect((await client.listSweeps()).items).toHaveLength(1);
    clearInterval(killing);
    await vi.waitFor(
      async () => {
        const { items } = await client.listWorkers();
        const next = items.find(({ id, status }) => !before.includes(id) && status === 'online');
        expect(next?.running.length).toBeGreaterThan(0);
      },
      { timeout: 120_000, interval: 200 },
    );
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await said(/\nStopping after SIGTERM: trainers write checkpoints …\n/);
  },
  300_000,
);

it('refuses a folder of data sets that does not exist, and makes no folder of its own', async () => {
  const folder = join(home, 'never');
  const missing = join(home, 'nowhere');
  const ran = await funnel(['up', '--data', missing], { env: { FUNNEL_HOME: folder }, cwd: tmpdir() });
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain(`--data: expected a folder with data sets, but there is no folder ${missing}`);
  expect(existsSync(folder)).toBe(false);
});
