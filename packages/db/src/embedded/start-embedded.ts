/**
 * A PostgreSQL of our own, from npm: made on the first start, found again on the next ones. It listens on loopback only, on a port that
 * was free, with a password; no socket file, so no path is too long.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { AppError } from '@funnel/contracts';
import pg from 'pg';
import { type Account, checkReach, findAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { environment, makeDataFolder, readPassword, superuser } from './data-folder.ts';
import { withFolderLock } from './folder-lock.ts';
import {
  clearStale,
  findPostmaster,
  isAlive,
  type Postmaster,
  stopPostmaster,
  waitUntil,
} from './postmaster.ts';

export type EmbeddedOptions = {
  /** The data folder; its parent also gets `<dir>.password` and `<dir>.log`. */
  readonly dir: string;
  readonly log?: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** Server settings on top of ours. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type EmbeddedDatabase = {
  readonly url: string;
  readonly port: number;
  /** Stops the server, unless another process that is still there started or found it before us. */
  stop(): Promise<void>;
};

const defaults: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  // One machine, no replicas.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Statements here take milliseconds; compiling them takes longer.
  jit: 'off',
  random_page_cost: '1.1',
  log_min_messages: 'warning',
  // fsync and synchronous_commit stay on: what was acknowledged is there after a power cut.
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
const ensureDatabase = async (port: number, password: string): Promise<string> => {
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

type Launch = {
  readonly dir: string;
  readonly postgres: string;
  readonly account: Account;
  readonly settings: Readonly<Record<string, string>>;
};

const logFile = (dir: string): string => `${dir}.log`;
const mostLog = 10_000_000;

const lastLines = async (dir: string): Promise<string> =>
  (await readFile(logFile(dir), 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');

/**
 * A process group of its own: Ctrl-C in the terminal is for Funnel, which stops the server after everything that uses it. Its log goes
 * to a file, so that nothing depends on who started it being alive.
 */
const launch = async ({ dir, postgres, account, settings }: Launch, port: number): Promise<ChildProcess> => {
  const size = await stat(logFile(dir))
    .then((stats) => stats.size)
    .catch(() => 0);
  const log = openSync(logFile(dir), size > mostLog ? 'w' : 'a', 0o600);
  const flags = Object.entries({ ...defaults, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
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

/** Starts a server and waits until it answers; recovery after a crash may take a while. */
const serve = async (
  what: Launch,
  port: number,
  password: string,
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
    if (ended) return true;
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
const serveSomewhere = async (what: Launch, password: string) => {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return { ...(await serve(what, port, password)), port };
    } catch (error) {
      if (attempt >= 3 || !/could not (bind|create any TCP)/.test(String(error))) throw error;
    }
  }
};

/** A server that ends without being asked to is started again on its port, so that its clients only need to reconnect. */
const keepServing = (
  what: Launch,
  port: number,
  password: string,
  first: ChildProcess,
  log: NonNullable<EmbeddedOptions['log']>,
) => {
  let stopping = false;
  const watch = (child: ChildProcess) => {
    child.unref();
    child.once('exit', (code, signal) => {
      if (stopping) return;
      log('PostgreSQL ended by itself and is started again', { code, signal });
      restart(1);
    });
  };
  const restart = async (attempt: number): Promise<void> => {
    try {
      const { child } = await serve(what, port, password);
      if (stopping) await stopPostmaster({ pid: child.pid!, port });
      else watch(child);
    } catch (error) {
      log('PostgreSQL could not be started again', { attempt, error: String(error) });
      if (!stopping) setTimeout(() => restart(attempt + 1), Math.min(30_000, 500 * 2 ** attempt)).unref();
    }
  };
  watch(first);
  return () => {
    stopping = true;
  };
};

/**
 * Starts the server of `dir`, or goes on using the one that a killed Funnel left behind. Works as root (as the user `postgres`) and as an
 * ordinary user. Errors: UNAVAILABLE with what to do.
 */
export const startEmbedded = async ({
  dir,
  log = () => {},
  settings = {},
}: EmbeddedOptions): Promise<EmbeddedDatabase> => {
  const folder = path.resolve(dir);
  const { initdb, postgres } = await findBinaries();
  const account = await findAccount();
  await mkdir(path.dirname(folder), { recursive: true });
  await checkReach(postgres, account);
  await checkReach(folder, account);

  return withFolderLock(folder, async (owners) => {
    await makeDataFolder(folder, initdb, account);
    const password = await readPassword(folder);
    const what = { dir: folder, postgres, account, settings };
    const found = await findPostmaster(folder);
    if (found) return reuse(found, folder, password, owners, log);
    const { child, url, port } = await serveSomewhere(what, password);
    const release = keepServing(what, port, password, child, log);
    await owners.add();
    log('PostgreSQL started', { dir: folder, port });
    return { url, port, stop: () => stop(folder, release) };
  });
};

const reuse = async (
  found: Postmaster,
  dir: string,
  password: string,
  owners: { add(): Promise<void> },
  log: NonNullable<EmbeddedOptions['log']>,
): Promise<EmbeddedDatabase> => {
  let url = '';
  await waitUntil(async () => {
    url = await ensureDatabase(found.port, password).catch(() => '');
    return url !== '' || !isAlive(found.pid);
  }, 60_000);
  if (!url)
    throw new AppError(
      'UNAVAILABLE',
      `A PostgreSQL server (process ${found.pid}) holds ${dir} but does not answer on port ${found.port}. End it and start again.`,
      { part: 'database' },
    );
  await owners.add();
  log('PostgreSQL was running and is used again', { dir, port: found.port, pid: found.pid });
  return { url, port: found.port, stop: () => stop(dir, () => {}) };
};

/** The last user of the folder stops the server, whoever started it. */
const stop = (dir: string, release: () => void): Promise<void> =>
  withFolderLock(dir, async (owners) => {
    release();
    if (!(await owners.remove())) return;
    const found = await findPostmaster(dir);
    if (found) await stopPostmaster(found);
    await rm(`${dir}.users`, { recursive: true, force: true });
  });
