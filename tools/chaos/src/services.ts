/** The private PostgreSQL and Redis of a run, on free ports, and processes that are restarted whenever they end. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate, startEmbedded } from '@funnel/db';

export type Process = {
  readonly name: string;
  readonly pid: () => number | undefined;
  /** False where it does not run at the moment. */
  readonly kill: (signal: NodeJS.Signals) => boolean;
  /** How often it was started. */
  readonly starts: () => number;
  /** Sends SIGTERM, later SIGKILL; resolves when it has ended. */
  readonly stop: () => Promise<void>;
};

export type Command = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its output is appended to `<logs>/<name>.log`. */
  readonly logs: string;
};

const restartMs = 300;
const stopTimeoutMs = 20_000;

export const keepRunning = ({ name, command, args, env = {}, logs }: Command): Process => {
  const log = openSync(path.join(logs, `${name}.log`), 'a');
  let child: ChildProcess;
  let starts = 0;
  let wanted = true;
  let gone: Promise<void>;
  const start = (): void => {
    starts += 1;
    // The process gets only the variables named here: a DATABASE_URL of the environment must not reach it.
    const inherited = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
    child = spawn(command, args, { env: { ...inherited, ...env }, stdio: ['ignore', log, log] });
    gone = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => {
        resolve();
        if (wanted) setTimeout(() => wanted && start(), restartMs);
      });
    });
  };
  start();
  return {
    name,
    pid: () => (child.exitCode === null && child.signalCode === null ? child.pid : undefined),
    kill: (signal) => child.kill(signal),
    starts: () => starts,
    stop: async () => {
      wanted = false;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await gone;
      clearTimeout(late);
    },
  };
};

/** Process ids of the children of a process, on Linux: for a worker, its trainers. */
export const childrenOf = async (pid: number): Promise<readonly number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A new folder that every user may enter, because PostgreSQL does not run as root. */
export const makeFolder = async (name: string): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), `funnel-${name}-`));
  await chmod(folder, 0o755);
  return folder;
};

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

export type Database = {
  readonly url: string;
  readonly port: number;
  /** Ends the server, which then restarts on the same port. False where it does not run at the moment. */
  readonly end: (signal: 'SIGQUIT' | 'SIGINT') => Promise<boolean>;
  /** Stops all processes of the server for this long, like a suspended machine. False where it does not run at the moment. */
  readonly freeze: (milliseconds: number) => Promise<boolean>;
  readonly stop: () => Promise<void>;
};

/** False where there is no such process. */
const signalTo = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return pid > 0 && process.kill(pid, signal);
  } catch {
    return false;
  }
};

/** The embedded server, which restarts whenever it ends. */
export const openDatabase = async (folder: string): Promise<Database> => {
  const dir = path.join(folder, 'pgdata');
  const { url, port, stop } = await startEmbedded({ dir, settings: { max_connections: '300' } });
  const postmaster = async (): Promise<number> =>
    Number((await readFile(path.join(dir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);
  const end = async (signal: 'SIGQUIT' | 'SIGINT'): Promise<boolean> => signalTo(await postmaster(), signal);
  const freeze = async (milliseconds: number): Promise<boolean> => {
    const pid = await postmaster();
    // Stops the postmaster first, so that it starts no process in place of a stopped one.
    if (!signalTo(pid, 'SIGSTOP')) return false;
    const all = [...(await childrenOf(pid)), pid];
    for (const child of all) signalTo(child, 'SIGSTOP');
    await sleep(milliseconds);
    for (const child of all) signalTo(child, 'SIGCONT');
    return true;
  };
  return { url, port, end, freeze, stop };
};

export type Redis = {
  readonly url: string;
  readonly crash: () => boolean;
  /** FLUSHALL: deletes every key. */
  readonly flush: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** True where this machine has redis-server. */
export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0;

/** Redis with an append-only file: after a kill it restarts with everything that it had written. */
export const openRedis = async (folder: string): Promise<Redis> => {
  const port = await freePort();
  const server = keepRunning({
    name: 'redis',
    command: 'redis-server',
    args: [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--appendonly',
      'yes',
      '--maxmemory-policy',
      'noeviction',
      '--save',
      '',
    ],
    logs: folder,
  });
  // Redis also accepts commands as plain lines.
  const flush = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.end('FLUSHALL\r\n');
    await once(socket.resume(), 'end');
  };
  return { url: `redis://127.0.0.1:${port}`, crash: () => server.kill('SIGKILL'), flush, stop: server.stop };
};

export type Services = {
  /** Of PostgreSQL, Redis and the logs of all processes. */
  readonly folder: string;
  /** With the tables of Funnel. */
  readonly database: Database;
  /** Null where the queue is in PostgreSQL. */
  readonly redis: Redis | null;
  readonly queueUrl: string;
};

/** Starts the private servers of a run, and ends them after `use`. Keeps their folder, unless `use` resolves to a report that is `ok`. */
export const withServices = async <Report extends { readonly ok: boolean }>(
  { name, queue, log }: { name: string; queue: 'postgres' | 'redis'; log: (line: string) => void },
  use: (services: Services) => Promise<Report>,
): Promise<Report> => {
  const folder = await makeFolder(name);
  const database = await openDatabase(folder);
  const redis = queue === 'redis' ? await openRedis(folder) : null;
  let isGood = false;
  try {
    await migrate(database.url);
    const report = await use({ folder, database, redis, queueUrl: redis?.url ?? database.url });
    isGood = report.ok;
    return report;
  } finally {
    await redis?.stop();
    await database.stop();
    if (isGood) await rm(folder, { recursive: true, force: true });
    else log(`logs are kept in ${folder}`);
  }
};
