/** Finds, starts and stops the server process of a data folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { readdir, readFile, readlink, realpath, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { AppError } from '@funnel/contracts';
import pg from 'pg';
import { type Account, environment, superuser } from './prepare.ts';
import { isAlive } from './processes.ts';

/** The main process of a server, as `postmaster.pid` in its data folder names it. */
export type Postmaster = { readonly pid: number; readonly port: number };

/** Linux: the working folder of a process. For every process of a PostgreSQL server that is the data folder. */
const workingFolder = (pid: number | string): Promise<string | null> =>
  readlink(`/proc/${pid}/cwd`).catch(() => null);

const readPostmaster = async (dir: string): Promise<Postmaster | null> => {
  const text = await readFile(path.join(dir, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const [pid, , , port] = text.split('\n').map(Number);
  return pid && pid > 0 ? { pid, port: port ?? 0 } : null;
};

/** The running server of this data folder, or null. A `postmaster.pid` of a dead server does not count. */
export const findPostmaster = async (dir: string): Promise<Postmaster | null> => {
  const found = await readPostmaster(dir);
  if (!found || !isAlive(found.pid)) return null;
  if (process.platform !== 'linux') return found;
  // Another process may have the same number now.
  return (await workingFolder(found.pid)) === (await realpath(dir)) ? found : null;
};

/** Linux: processes of a server that was killed. They end soon; until then, no other server may use their shared memory. */
const remainingProcesses = async (dir: string): Promise<readonly number[]> => {
  if (process.platform !== 'linux') return [];
  const folder = await realpath(dir);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const inside = await Promise.all(pids.map(async (pid) => (await workingFolder(pid)) === folder));
  return pids.filter((_, i) => inside[i]).map(Number);
};

const shortPause = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Waits until `condition` holds. Resolves to false after `ms` milliseconds. */
export const waitUntil = async (
  condition: () => boolean | Promise<boolean>,
  ms: number,
): Promise<boolean> => {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await shortPause();
  }
  return true;
};

/**
 * Removes the `postmaster.pid` of a crashed server. PostgreSQL would not start with it if another program now has the process number in it.
 */
const clearStale = async (dir: string): Promise<void> => {
  const gone = await waitUntil(async () => (await remainingProcesses(dir)).length === 0, 10_000);
  if (gone && (await readPostmaster(dir)) !== null)
    await rm(path.join(dir, 'postmaster.pid'), { force: true });
};

/** Asks the server for a fast shutdown, and does not wait. For the exit of a process. */
export const requestStop = (dir: string): void => {
  try {
    const pid = Number.parseInt(readFileSync(path.join(dir, 'postmaster.pid'), 'utf8'), 10);
    if (process.platform === 'linux' && readlinkSync(`/proc/${pid}/cwd`) !== realpathSync(dir)) return;
    process.kill(pid, 'SIGINT');
  } catch {
    // It has ended.
  }
};

/**
 * Tries a fast shutdown first: PostgreSQL rolls transactions back and writes everything. After 20 s it tries an immediate shutdown; the
 * next start then replays the log.
 */
export const stopPostmaster = async ({ pid }: Postmaster): Promise<void> => {
  const send = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const hasEnded = () => !isAlive(pid);
  send('SIGINT');
  if (await waitUntil(hasEnded, 20_000)) return;
  send('SIGQUIT');
  if (await waitUntil(hasEnded, 10_000)) return;
  send('SIGKILL');
  await waitUntil(hasEnded, 5_000);
};

const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  // There is no replica.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Statements take milliseconds; compiling them would take longer.
  jit: 'off',
  random_page_cost: '1.1',
  log_min_messages: 'warning',
  // fsync and synchronous_commit stay on: committed data survives a power cut.
};

const megabyte = 1_000_000;

/** The size of the write-ahead log: at most 2 GiB, less on a small disk, and at least two of its files of 16 MiB. */
const walSettings = async (dir: string): Promise<Readonly<Record<string, string>>> => {
  const { blocks, bsize } = await statfs(dir);
  const maxMegabytes = Math.max(32, Math.min(2048, Math.floor((blocks * bsize) / megabyte / 10)));
  return { max_wal_size: `${maxMegabytes}MB`, min_wal_size: `${Math.min(80, maxMegabytes)}MB` };
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
  client.on('error', () => {}); // the current statement also rejects with this error
  await client.connect();
  return client;
};

/** The address of the database `funnel`, which is created if it is missing. Throws while the server accepts no connection. */
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

/** Which server to start, and how. */
export type ServerOptions = {
  readonly dir: string;
  readonly postgres: string;
  readonly account: Account;
  readonly settings: Readonly<Record<string, string>>;
};

const logFile = (dir: string): string => `${dir}.log`;
const maxLogBytes = 10_000_000;

/** The log line of a connection attempt while the server started or ended: `… [process] FATAL:  the database system is starting up`. */
const refusedConnection = /(\[\d+\]) FATAL: {2}the database system is /;

/** The last lines of the server's log, without the lines of refused connections. */
const lastLogLines = async (dir: string): Promise<string> => {
  const text = await readFile(logFile(dir), 'utf8').catch(() => '');
  const lines = text.trim().split('\n');
  const others = lines.flatMap((line) => refusedConnection.exec(line)?.[1] ?? []);
  return lines
    .filter((line) => !others.some((other) => line.includes(other)))
    .slice(-5)
    .join('\n');
};

/**
 * Starts the program in its own process group, so that Ctrl-C in the terminal reaches only Funnel. Funnel stops the server after everything
 * that uses it. The server logs to a file, so that it can outlive the process that started it.
 */
const spawnServer = async (
  { dir, postgres, account, settings }: ServerOptions,
  port: number,
): Promise<ChildProcess> => {
  const size = await stat(logFile(dir))
    .then((stats) => stats.size)
    .catch(() => 0);
  const all = { ...defaultSettings, ...(await walSettings(dir)), ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(logFile(dir), size > maxLogBytes ? 'w' : 'a', 0o600);
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

/**
 * Starts a server and waits until it answers; after a crash the server may need a while to recover. Kills the server if `signal` is aborted
 * before it answers. Errors: UNAVAILABLE with the last lines of the server's log.
 */
export const startServer = async (
  options: ServerOptions,
  port: number,
  password: string,
  signal?: AbortSignal,
): Promise<{ child: ChildProcess; url: string }> => {
  await clearStale(options.dir);
  const child = await spawnServer(options, port);
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
  const answersOrEnded = async () => {
    if (ended || signal?.aborted) return true;
    try {
      url = await ensureDatabase(port, password);
      return true;
    } catch (error) {
      failure = error;
      return false;
    }
  };
  const inTime = await waitUntil(answersOrEnded, 120_000);
  if (url) return { child, url };
  child.kill('SIGQUIT');
  const reason = ended
    ? `it ended at once:\n${await lastLogLines(options.dir)}`
    : `it did not answer in ${inTime ? 'time' : '120 s'}: ${failure}`;
  throw new AppError(
    'UNAVAILABLE',
    `PostgreSQL in ${options.dir} could not be started: ${reason}`,
    { part: 'database' },
    { cause: failure },
  );
};

/** Starts a server on the preferred port, else on a free one. When another program has the port, or takes it first, it tries another one. */
export const startServerOnAnyPort = async (
  options: ServerOptions,
  password: string,
  preferredPort: number | null,
) => {
  for (let attempt = 1; ; attempt++) {
    const port = (attempt === 1 ? preferredPort : null) ?? (await freePort());
    try {
      return { ...(await startServer(options, port, password)), port };
    } catch (error) {
      if (attempt >= 3 || !/could not (bind|create any TCP)/.test(String(error))) throw error;
    }
  }
};
