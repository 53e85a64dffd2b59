/**
 * A PostgreSQL of our own, from npm: made on the first start, found again on the next ones. It listens on loopback only, on a port that
 * was free, with a password; no socket file, so no path is too long.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@funnel/contracts';
import { checkReach, findAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { makeDataFolder, readPassword } from './data-folder.ts';
import { removeAtOnce, withFolderLock } from './folder-lock.ts';
import { keepServing, type Log } from './keep-serving.ts';
import {
  askToStop,
  findPostmaster,
  isAlive,
  type Postmaster,
  stopPostmaster,
  waitUntil,
} from './postmaster.ts';
import { ensureDatabase, serveSomewhere } from './serve.ts';

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
