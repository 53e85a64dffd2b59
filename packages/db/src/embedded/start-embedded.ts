/**
 * Funnel's own PostgreSQL, from npm. The first start creates the data folder; later starts use it again. The server listens on loopback
 * only, on a free port, and demands a password. It has no socket file, because the path could be too long. If the server ends by itself,
 * Funnel starts it again on the same port, so that clients only need to reconnect.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';
import { removeUserSync, withFolderLock } from './folder-lock.ts';
import { checkAccess, findAccount, findBinaries, makeDataFolder, readPassword } from './prepare.ts';
import {
  ensureDatabase,
  findPostmaster,
  type Postmaster,
  requestStop,
  type ServerOptions,
  startServer,
  startServerOnAnyPort,
  stopPostmaster,
  waitUntil,
} from './server-process.ts';

/** `warn`: a person should read it. */
type Log = (
  message: string,
  fields: Readonly<Record<string, unknown>>,
  level: 'debug' | 'info' | 'warn',
) => void;

const checkIntervalMs = 500;
const firstPauseMs = 500;
/** The longest pause between two tries to start the server. When a full disk has space again, the server starts within this time. */
const maxPauseMs = 5_000;

type RunningServer = {
  readonly options: ServerOptions;
  readonly port: number;
  readonly password: string;
  /** The server's process; null when another process started it. */
  readonly child: ChildProcess | null;
  readonly log: Log;
};

/** Does not keep the process alive: the server may outlive it. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { ref: false, signal }).catch(() => {});

/** Resolves when the server has ended, or when `signal` is aborted. */
const untilEnded = async (child: ChildProcess | null, dir: string, signal: AbortSignal): Promise<void> => {
  if (child) {
    child.unref();
    if (child.exitCode === null && child.signalCode === null)
      await once(child, 'exit', { signal }).catch(() => {});
    return;
  }
  while (!signal.aborted && (await findPostmaster(dir).catch(() => null)))
    await pause(checkIntervalMs, signal);
};

/** Starts the server again whenever it ends, and repeats the start until it succeeds. Returns a function that ends the restarts. */
const keepRunning = ({ options, port, password, child: firstChild, log }: RunningServer): (() => void) => {
  const ending = new AbortController();
  const { signal } = ending;

  /** Resolves to the process of the new server; to null if another process that uses the folder started a server first. */
  const startAgain = (): Promise<ChildProcess | null> =>
    withFolderLock(options.dir, async () => {
      if (signal.aborted || (await findPostmaster(options.dir))) return null;
      return (await startServer(options, port, password, signal)).child;
    });

  const restart = async (): Promise<ChildProcess | null> => {
    for (let tries = 1; ; tries++) {
      try {
        const child = await startAgain();
        if (!signal.aborted) log('PostgreSQL runs again', { tries }, 'warn');
        return child;
      } catch (error) {
        if (signal.aborted) return null;
        const reason = error instanceof Error ? error.message : String(error);
        // Shown to a person only once; the message of the successful start has the number of tries.
        if (tries === 1) log(`${reason}\nFunnel tries again until it starts.`, {}, 'warn');
        else log('PostgreSQL could not be started again', { tries, error: reason }, 'debug');
        await pause(Math.min(maxPauseMs, firstPauseMs * 2 ** (tries - 1)), signal);
      }
    }
  };

  const watch = async (): Promise<void> => {
    for (let child = firstChild; ; child = await restart()) {
      await untilEnded(child, options.dir, signal);
      if (signal.aborted) return;
      const { exitCode: code, signalCode } = child ?? {};
      log('PostgreSQL ended by itself; Funnel starts it again', { code, signal: signalCode }, 'warn');
    }
  };
  void watch();
  return () => ending.abort();
};

export type EmbeddedOptions = {
  /** The data folder; its parent also gets `<dir>.password`, `<dir>.port` and `<dir>.log`. */
  readonly dir: string;
  readonly log?: Log;
  /** Server settings, which override Funnel's own. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type EmbeddedDatabase = {
  readonly url: string;
  readonly port: number;
  /** Stops the server when no other process uses it any more. */
  stop(): Promise<void>;
};

/**
 * The address of a running server. Null when the server ends before it answers, since it may have been on the way to its end. Errors:
 * UNAVAILABLE when it neither answers nor ends.
 */
const addressOf = async (
  { pid, port }: Postmaster,
  dir: string,
  password: string,
): Promise<string | null> => {
  let url: string | null = null;
  const isRunning = async () => (await findPostmaster(dir))?.pid === pid;
  const answeredOrEnded = async () => {
    url = await ensureDatabase(port, password).catch(() => null);
    return url !== null || !(await isRunning());
  };
  if (await waitUntil(answeredOrEnded, 60_000)) return url;
  throw new AppError(
    'UNAVAILABLE',
    `A PostgreSQL server (process ${pid}) holds ${dir} but does not answer on port ${port}. End it and start again.`,
    { part: 'database' },
  );
};

/** The port of the last start. The next start takes it again when it is free, so that addresses which people wrote down stay valid. */
const portFile = (dir: string): string => `${dir}.port`;

const readPort = async (dir: string): Promise<number | null> => {
  const port = Number(await readFile(portFile(dir), 'utf8').catch(() => ''));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
};

/** On a full disk the next start takes another port. */
const writePort = (dir: string, port: number): Promise<void> =>
  writeFile(portFile(dir), String(port)).catch(() => {});

/** The last process that uses the folder stops the server, even if another process started it. */
const stop = (dir: string): Promise<void> =>
  withFolderLock(dir, async (users) => {
    if (!(await users.remove())) return;
    const found = await findPostmaster(dir);
    if (found) await stopPostmaster(found);
    await rm(`${dir}.users`, { recursive: true, force: true });
  });

/**
 * Starts the server of `dir`, or uses a server that a killed Funnel left running. Keeps it running until `stop`. A process that ends
 * without `stop` asks the server to stop, unless it is killed with SIGKILL. Works as root (PostgreSQL then runs as the user `postgres`) and
 * as an ordinary user. Errors: UNAVAILABLE with what to do.
 */
export const startEmbedded = async ({
  dir,
  log = () => {},
  settings = {},
}: EmbeddedOptions): Promise<EmbeddedDatabase> => {
  const folder = path.resolve(dir);
  const { initdb, postgres } = await findBinaries();
  const account = await findAccount();
  makeFolder(path.dirname(folder));
  await checkAccess(postgres, account);
  await checkAccess(folder, account);

  const onExit = (): void => {
    if (removeUserSync(folder)) requestStop(folder);
  };
  process.on('exit', onExit);
  try {
    return await withFolderLock(folder, async (users) => {
      await makeDataFolder(folder, initdb, account);
      const password = await readPassword(folder);
      const options = { dir: folder, postgres, account, settings };
      const found = await findPostmaster(folder);
      const foundUrl = found && (await addressOf(found, folder, password));
      const { child, url, port } =
        found && foundUrl
          ? { child: null, url: foundUrl, port: found.port }
          : await startServerOnAnyPort(
              options,
              password,
              found?.port ?? (await users.port()) ?? (await readPort(folder)),
            );
      const endRestarts = keepRunning({ options, port, password, child, log });
      await users.add(port);
      await writePort(folder, port);
      log(
        child ? 'PostgreSQL started' : 'PostgreSQL was running and is used again',
        { dir: folder, port, pid: child?.pid ?? found?.pid },
        'info',
      );
      return {
        url,
        port,
        stop: async (): Promise<void> => {
          endRestarts();
          await stop(folder);
          process.off('exit', onExit);
        },
      };
    });
  } catch (error) {
    process.off('exit', onExit);
    throw error;
  }
};
