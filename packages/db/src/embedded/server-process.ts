/** Who serves a data folder: what `postmaster.pid` says, and whether it is still true. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { readdir, readFile, readlink, realpath, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { AppError } from '@funnel/contracts';
import pg from 'pg';
import type { Account } from './prepare.ts';
import { environment, superuser } from './prepare.ts';

export type Postmaster = { readonly pid: number; readonly port: number };

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // alive, and someone else's
  }
};

/** Linux: the folder that a process stands in, which for every process of a PostgreSQL server is its data folder. */
const folderOf = (pid: number | string): Promise<string | null> =>
  readlink(`/proc/${pid}/cwd`).catch(() => null);

const read = async (dir: string): Promise<Postmaster | null> => {
  const text = await readFile(path.join(dir, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const [pid, , , port] = text.split('\n').map(Number);
  return pid && pid > 0 ? { pid, port: port ?? 0 } : null;
};

/** The live server of this data folder; null when there is none, though a file of a dead one may lie there. */
export const findPostmaster = async (dir: string): Promise<Postmaster | null> => {
  const found = await read(dir);
  if (!found || !isAlive(found.pid)) return null;
  if (process.platform !== 'linux') return found;
  // The number may have been given to some other process since.
  return (await folderOf(found.pid)) === (await realpath(dir)) ? found : null;
};

/** Linux: processes of a server that was killed; they notice within moments, and until then their memory must not be touched. */
const survivors = async (dir: string): Promise<readonly number[]> => {
  if (process.platform !== 'linux') return [];
  const folder = await realpath(dir);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const inside = await Promise.all(pids.map(async (pid) => (await folderOf(pid)) === folder));
  return pids.filter((_, i) => inside[i]).map(Number);
};

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Waits until `condition` holds; false when it did not within `ms`. */
export const waitUntil = async (
  condition: () => boolean | Promise<boolean>,
  ms: number,
): Promise<boolean> => {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await pause();
  }
  return true;
};

/**
 * Makes way for a new server after a crash. PostgreSQL judges a stale `postmaster.pid` by whether that process number is alive: where
 * another program got the number, it would refuse to start for ever.
 */
export const clearStale = async (dir: string): Promise<void> => {
  const gone = await waitUntil(async () => (await survivors(dir)).length === 0, 10_000);
  if (gone && (await read(dir)) !== null) await rm(path.join(dir, 'postmaster.pid'), { force: true });
};

/** For the last moment of a process, in which nothing can be waited for: a fast shutdown that goes on without us. */
export const askToStop = (dir: string): void => {
  try {
    const pid = Number.parseInt(readFileSync(path.join(dir, 'postmaster.pid'), 'utf8'), 10);
    if (process.platform === 'linux' && readlinkSync(`/proc/${pid}/cwd`) !== realpathSync(dir)) return;
    process.kill(pid, 'SIGINT');
  } catch {
    // It has ended.
  }
};

/** Fast shutdown: transactions are rolled back, everything is written. Immediate after 20 s; the log replays on the next start. */
export const stopPostmaster = async ({ pid }: Postmaster): Promise<void> => {
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const ended = () => !isAlive(pid);
  signal('SIGINT');
  if (await waitUntil(ended, 20_000)) return;
  signal('SIGQUIT');
  if (await waitUntil(ended, 10_000)) return;
  signal('SIGKILL');
  await waitUntil(ended, 5_000);
};

/** A PostgreSQL process of ours: its settings, its start, and that it answers. */

const defaults: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  // One machine, no replicas.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Statements here take milliseconds; compiling them takes longer.
  jit: 'off',
  random_page_cost: '1.1',
  log_min_messages: 'warning',
  // fsync and synchronous_commit stay on: what was acknowledged is there after a power cut.
};

const megabyte = 1_000_000;

/** The log from which a crash is recovered: at most 2 GB, less on a small disk, and at least two of its files of 16 MB. */
const walSettings = async (dir: string): Promise<Readonly<Record<string, string>>> => {
  const { blocks, bsize } = await statfs(dir);
  const most = Math.max(32, Math.min(2048, Math.floor((blocks * bsize) / megabyte / 10)));
  return { max_wal_size: `${most}MB`, min_wal_size: `${Math.min(80, most)}MB` };
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

const connect = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {}); // the statement under way is rejected too
  await client.connect();
  return client;
};

/** The server takes connections and has our database. */
export const ensureDatabase = async (port: number, password: string): Promise<string> => {
  const url = (database: string) => `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`;
  const client = await connect(url('postgres'));
  try {
    const { rows } = await client.query("SELECT 1 FROM pg_database WHERE datname = 'funnel'");
    if (rows.length === 0) await client.query('CREATE DATABASE funnel');
  } finally {
    await client.end();
  }
  return url('funnel');
};

export type Launch = {
  readonly dir: string;
  readonly postgres: string;
  readonly account: Account;
  readonly settings: Readonly<Record<string, string>>;
};

const logFile = (dir: string): string => `${dir}.log`;
const maxLog = 10_000_000;

/** A connection that came while the server started or ended: `… [process] FATAL:  the database system is starting up`. */
const turnedAway = /(\[\d+\]) FATAL: {2}the database system is /;

const lastLines = async (dir: string): Promise<string> => {
  const text = await readFile(logFile(dir), 'utf8').catch(() => '');
  const lines = text.trim().split('\n');
  const others = lines.flatMap((line) => turnedAway.exec(line)?.[1] ?? []);
  return lines
    .filter((line) => !others.some((other) => line.includes(other)))
    .slice(-5)
    .join('\n');
};

/**
 * A process group of its own: Ctrl-C in the terminal is for Funnel, which stops the server after everything that uses it. Its log goes
 * to a file, so that nothing depends on who started it being alive.
 */
const launch = async ({ dir, postgres, account, settings }: Launch, port: number): Promise<ChildProcess> => {
  const size = await stat(logFile(dir))
    .then((stats) => stats.size)
    .catch(() => 0);
  const all = { ...defaults, ...(await walSettings(dir)), ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(logFile(dir), size > maxLog ? 'w' : 'a', 0o600);
  try {
    return spawn(postgres, ['-D', dir, '-p', String(port), ...flags], {
      ...account,
      cwd: dir,
      detached: true,
      env: environment,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
};

/** Starts a server and waits until it answers; recovery after a crash may take a while. Ends it again when `signal` is aborted before. */
export const serve = async (
  what: Launch,
  port: number,
  password: string,
  signal?: AbortSignal,
): Promise<{ child: ChildProcess; url: string }> => {
  await clearStale(what.dir);
  const child = await launch(what, port);
  let failure: unknown;
  let url = '';
  let ended = false;
  child.once('error', (error) => {
    failure = error;
    ended = true;
  });
  child.once('exit', () => {
    ended = true;
  });
  const answers = async () => {
    if (ended || signal?.aborted) return true;
    try {
      url = await ensureDatabase(port, password);
      return true;
    } catch (error) {
      failure = error;
      return false;
    }
  };
  const inTime = await waitUntil(answers, 120_000);
  if (url) return { child, url };
  child.kill('SIGQUIT');
  const reason = ended
    ? `it ended at once:\n${await lastLines(what.dir)}`
    : `it did not answer in ${inTime ? 'time' : '120 s'}: ${failure}`;
  throw new AppError(
    'UNAVAILABLE',
    `PostgreSQL in ${what.dir} could not be started: ${reason}`,
    { part: 'database' },
    { cause: failure },
  );
};

/** Serves on a free port; another program may take it in between, then on the next one. */
export const serveSomewhere = async (what: Launch, password: string) => {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return { ...(await serve(what, port, password)), port };
    } catch (error) {
      if (attempt >= 3 || !/could not (bind|create any TCP)/.test(String(error))) throw error;
    }
  }
};
