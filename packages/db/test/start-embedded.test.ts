import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isAlive } from '../src/embedded/processes.ts';
import { findPostmaster } from '../src/embedded/server-process.ts';
import { type EmbeddedDatabase, startEmbedded } from '../src/index.ts';

const script = fileURLToPath(new URL('./support/embedded-process.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

let home: string;
let dir: string;
const started: EmbeddedDatabase[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'funnel-embedded-'));
  await chmod(home, 0o755);
  dir = path.join(home, 'pgdata');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of started.splice(0)) await server.stop();
  await startAndStopLeftover();
  await rm(home, { recursive: true, force: true });
});

/** Stops the server that a failed test left running. */
const startAndStopLeftover = async () => {
  const left = await findPostmaster(dir).catch(() => null);
  if (left) process.kill(left.pid, 'SIGKILL');
};

const start = async () => {
  const server = await startEmbedded({ dir, settings: { fsync: 'off' } });
  started.push(server);
  return server;
};

const query = async (url: string, sql: string) => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

/** A separate process that started the server of `dir`. */
const startElsewhere = async (options: object = {}) => {
  const child = fork(script, [dir], { execArgv: ['--import', 'tsx'], ...options });
  children.push(child);
  const [{ url, port }] = (await once(child, 'message')) as [{ url: string; port: number }];
  return { child, url, port };
};

const kill = async (child: ChildProcess) => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

describe('startEmbedded', () => {
  test('makes a server on loopback with a password, and uses the same folder at the next start', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(await query(first.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect((await stat(`${dir}.password`)).mode & 0o777).toBe(0o600);
    const open = new URL(first.url);
    open.password = 'wrong';
    await expect(query(open.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    await first.stop();
    expect(await findPostmaster(dir)).toBeNull();
    await expect(query(first.url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('the server outlives a process that is killed, the next one uses it, and the last one stops it', async () => {
    const { child, port, url } = await startElsewhere();
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS one');
    const before = await findPostmaster(dir);
    const together = await start();
    await together.stop();
    expect(await findPostmaster(dir)).toEqual(before);
    await kill(child);
    const after = await start();
    expect(after.port).toBe(port);
    expect(await findPostmaster(dir)).toEqual(before);
    expect(await query(after.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    await after.stop();
    expect(isAlive(before!.pid)).toBe(false);
  });

  test('starts after all processes were killed at once', async () => {
    const { child, url } = await startElsewhere();
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS one');
    const server = await findPostmaster(dir);
    process.kill(server!.pid, 'SIGKILL');
    await kill(child);
    const again = await start();
    expect(await query(again.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  test('starts even if another process has the process id of the dead server', async () => {
    await (await start()).stop();
    const [, folder, ...rest] =
      `0\n${dir}\n${Math.floor(Date.now() / 1000)}\n5432\n\n127.0.0.1\n\nready`.split('\n');
    await writeFile(path.join(dir, 'postmaster.pid'), [process.pid, folder, ...rest].join('\n'));
    expect(await query((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('starts the server again on its port when it ends by itself', async () => {
    const server = await start();
    const before = await findPostmaster(dir);
    process.kill(before!.pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]), {
      timeout: 30_000,
      interval: 50,
    });
    expect((await findPostmaster(dir))?.pid).not.toBe(before!.pid);
  });

  test('a process that uses the server of another one starts it again after that one was killed', async () => {
    const { child } = await startElsewhere();
    const server = await start();
    await kill(child);
    const before = await findPostmaster(dir);
    process.kill(before!.pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]), {
      timeout: 60_000,
      interval: 50,
    });
    expect((await findPostmaster(dir))?.pid).not.toBe(before!.pid);
  });

  test('starts a server when the found one ends before it answers, on its port', async () => {
    await (await start()).stop();
    const ending = spawn('sleep', ['600'], { cwd: dir });
    const listener = createServer(async (socket) => {
      socket.destroy();
      await kill(ending);
      listener.close();
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const file = [ending.pid, dir, Math.floor(Date.now() / 1000), port, '', '127.0.0.1', '', 'stopping'];
    await writeFile(path.join(dir, 'postmaster.pid'), file.join('\n'));
    const server = await start();
    expect(server.port).toBe(port);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('starts a killed server on the port that another process still expects', async () => {
    const { child, url, port } = await startElsewhere();
    child.kill('SIGSTOP'); // it cannot start the server again itself
    process.kill((await findPostmaster(dir))!.pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await findPostmaster(dir)).toBeNull(), 30_000);
    expect((await start()).port).toBe(port);
    child.kill('SIGCONT');
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('the server ends with a process that exits without `stop`, unless another process uses it', async () => {
    const first = await startElsewhere();
    const other = await startElsewhere();
    const server = await findPostmaster(dir);
    const leave = async (child: ChildProcess) => {
      child.disconnect(); // the process then calls process.exit
      await once(child, 'exit');
    };
    await leave(first.child);
    expect(await query(other.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await findPostmaster(dir)).toEqual(server);
    await leave(other.child);
    await vi.waitFor(() => expect(isAlive(server!.pid)).toBe(false), { timeout: 60_000, interval: 50 });
    expect(await findPostmaster(dir)).toBeNull();
  });

  test('two processes that start the same folder share one server', async () => {
    const [one, other] = await Promise.all([start(), startElsewhere()]);
    expect(one.port).toBe(other.port);
  });

  test('an unfinished data folder is made again; a folder with other files is refused and kept', async () => {
    await mkdir(`${dir}.unfinished/base`, { recursive: true });
    await writeFile(`${dir}.unfinished/PG_VERSION`, '18');
    expect(await query((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const other = path.join(home, 'photos');
    await mkdir(other);
    await writeFile(path.join(other, 'cat.jpg'), 'meow');
    await expect(startEmbedded({ dir: other })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('cat.jpg'),
    });
    expect(await readFile(path.join(other, 'cat.jpg'), 'utf8')).toBe('meow');
  });

  test.runIf(isRoot)(
    'as root, the error names a folder in the path that the user postgres may not enter',
    async () => {
      await chmod(home, 0o700);
      await expect(start()).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(new RegExp(`may not enter ${home} \\(mode 700\\).*DATABASE_URL`)),
      });
    },
  );

  test.runIf(isRoot)('works as an ordinary user', async () => {
    const nobody = 65534;
    const folder = path.join(home, 'mine');
    await mkdir(folder);
    const { chown } = await import('node:fs/promises');
    await chown(folder, nobody, nobody);
    dir = path.join(folder, 'pgdata');
    const { url } = await startElsewhere({
      uid: nobody,
      gid: nobody,
      env: { ...process.env, HOME: folder, TMPDIR: folder },
    });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await stat(dir)).uid).toBe(nobody);
  });
});
