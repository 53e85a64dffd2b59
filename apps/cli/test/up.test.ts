/** `funnel up` as a person uses it and as machines treat it: killed, started again, started twice, told to go. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@funnel/client';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { funnel, spawnFunnel } from './funnel.ts';

const home = mkdtempSync(join(tmpdir(), 'funnel-up-'));
chmodSync(home, 0o755); // as root, PostgreSQL runs as somebody else

const restored = join(home, 'restored');
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** Linux: living processes that work in a folder, or whose parent is this one. */
const processes = (belongs: (pid: string) => boolean): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ') && belongs(pid);
    } catch {
      return false; // gone while looking
    }
  });
const servers = () => processes((pid) => readlinkSync(`/proc/${pid}/cwd`).startsWith(home));
/** PostgreSQL is a child too, and survives its parent by design. */
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

const start = async (port: number, folder = home) => {
  const child = spawnFunnel(['up', '--port', String(port)], {
    env: { FUNNEL_HOME: folder, FUNNEL_SLOTS: '1' },
    cwd: tmpdir(),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
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
  'survives kill -9, resumes, refuses a second start, takes a free port, leaves nothing running, and rises from a backup',
  async () => {
    const port = await takenPort();
    const first = await start(port);
    expect(first.url).not.toContain(`:${port}`);
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
    expect(second.stderr).toContain(`already: ${first.url}`);

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

    // What docs/operations.md calls a backup: the data folder and its password, copied while nothing runs, put back elsewhere.
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

it.runIf(process.platform === 'linux')(
  'goes on serving when its worker ends by itself, says so, and starts it again',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'funnel-up-worker-'));
    chmodSync(folder, 0o755);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const { child, said, client } = await start(0, folder);
    const before = (await client.listWorkers()).items.map(({ id }) => id);
    // A worker whose trainers die as often as they are started cannot go on.
    const killing = setInterval(() => {
      for (const pid of trainersOf(child.pid!)) process.kill(Number(pid), 'SIGKILL');
    }, 100);
    onTestFinished(() => clearInterval(killing));
    await said(/the worker ended and is started again in 1 s: The trainer was killed/);
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
  },
  300_000,
);
