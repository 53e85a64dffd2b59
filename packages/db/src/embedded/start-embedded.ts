/** A server that ends without being asked to is started again on its port, so that its clients only need to reconnect. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { removeAtOnce, withFolderLock } from './folder-lock.ts';
import { checkReach, findAccount, findBinaries, makeDataFolder, readPassword } from './prepare.ts';
import {
  askToStop,
  ensureDatabase,
  findPostmaster,
  isAlive,
  type Launch,
  type Postmaster,
  serve,
  serveSomewhere,
  stopPostmaster,
  waitUntil,
} from './server-process.ts';

/** `warn`: what a person should hear of. */
export type Log = (
  message: string,
  fields: Readonly<Record<string, unknown>>,
  level: 'debug' | 'info' | 'warn',
) => void;

const lookMilliseconds = 500;
const firstWait = 500;
/** A disk that was full, or whatever was in the way, is seen to be mended within this time. */
const longestWait = 5_000;

export type Serving = {
  readonly what: Launch;
  readonly port: number;
  readonly password: string;
  /** The server's process where it is ours; null: another process started it. */
  readonly child: ChildProcess | null;
  readonly log: Log;
};

/** Nothing here keeps the process running: the server outlives it anyway. */
const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { ref: false, signal }).catch(() => {});

/** Resolves when the server has ended, or when `signal` is aborted. */
const untilEnded = async (child: ChildProcess | null, dir: string, signal: AbortSignal): Promise<void> => {
  if (child) {
    child.unref();
    if (child.exitCode === null && child.signalCode === null)
      await once(child, 'exit', { signal }).catch(() => {});
    return;
  }
  while (!signal.aborted && (await findPostmaster(dir).catch(() => null)))
    await pause(lookMilliseconds, signal);
};

/** Watches the server, and starts it again as often as it ends and for as long as that takes. Returns what ends the watch. */
export const keepServing = ({ what, port, password, child: first, log }: Serving): (() => void) => {
  const ending = new AbortController();
  const { signal } = ending;

  /** The new server's process; null where another user of the folder was faster. */
  const startAgain = (): Promise<ChildProcess | null> =>
    withFolderLock(what.dir, async () => {
      if (signal.aborted || (await findPostmaster(what.dir))) return null;
      return (await serve(what, port, password, signal)).child;
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
        // Said once; the tries are counted until one succeeds.
        const sentence = `${reason}\nIt is tried again until it starts.`;
        if (tries === 1) log(sentence, {}, 'warn');
        else log('PostgreSQL could not be started again', { tries, error: reason }, 'debug');
        await pause(Math.min(longestWait, firstWait * 2 ** (tries - 1)), signal);
      }
    }
  };

  const watch = async (): Promise<void> => {
    for (let child = first; ; child = await restart()) {
      await untilEnded(child, what.dir, signal);
      if (signal.aborted) return;
      const { exitCode: code, signalCode } = child ?? {};
      log('PostgreSQL ended by itself and is started again', { code, signal: signalCode }, 'warn');
    }
  };
  void watch();
  return () => ending.abort();
};

/**
 * A PostgreSQL of our own, from npm: made on the first start, found again on the next ones. It listens on loopback only, on a port that
 * was free, with a password; no socket file, so no path is too long.
 */

export type EmbeddedOptions = {
  /** The data folder; its parent also gets `<dir>.password` and `<dir>.log`. */
  readonly dir: string;
  readonly log?: Log;
  /** Server settings on top of ours. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type EmbeddedDatabase = {
  readonly url: string;
  readonly port: number;
  /** Stops the server, unless another process that is still there started or found it before us. */
  stop(): Promise<void>;
};

/**
 * Starts the server of `dir`, or goes on using the one that a killed Funnel left behind; keeps it running until `stop`. A process that ends
 * without `stop` takes the server with it, unless it is killed with SIGKILL. Works as root (as the user `postgres`) and as an ordinary
 * user. Errors: UNAVAILABLE with what to do.
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

  const onExit = (): void => {
    if (removeAtOnce(folder)) askToStop(folder);
  };
  process.on('exit', onExit);
  try {
    return await withFolderLock(folder, async (owners) => {
      await makeDataFolder(folder, initdb, account);
      const password = await readPassword(folder);
      const what = { dir: folder, postgres, account, settings };
      const found = await findPostmaster(folder);
      const { child, url, port } = found
        ? await reuse(found, folder, password)
        : await serveSomewhere(what, password);
      const release = keepServing({ what, port, password, child, log });
      await owners.add();
      log(
        found ? 'PostgreSQL was running and is used again' : 'PostgreSQL started',
        { dir: folder, port, pid: found?.pid ?? child?.pid },
        'info',
      );
      const stopOnce = async (): Promise<void> => {
        release();
        await stop(folder);
        process.off('exit', onExit);
      };
      return { url, port, stop: stopOnce };
    });
  } catch (error) {
    process.off('exit', onExit);
    throw error;
  }
};

const reuse = async ({ pid, port }: Postmaster, dir: string, password: string) => {
  let url = '';
  await waitUntil(async () => {
    url = await ensureDatabase(port, password).catch(() => '');
    return url !== '' || !isAlive(pid);
  }, 60_000);
  if (!url)
    throw new AppError(
      'UNAVAILABLE',
      `A PostgreSQL server (process ${pid}) holds ${dir} but does not answer on port ${port}. End it and start again.`,
      { part: 'database' },
    );
  return { child: null, url, port };
};

/** The last user of the folder stops the server, whoever started it. */
const stop = (dir: string): Promise<void> =>
  withFolderLock(dir, async (owners) => {
    if (!(await owners.remove())) return;
    const found = await findPostmaster(dir);
    if (found) await stopPostmaster(found);
    await rm(`${dir}.users`, { recursive: true, force: true });
  });
