/** One process at a time starts or stops the server of a folder, and it is known which processes use it. */
import { readdirSync, rmSync } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@funnel/contracts';
import { isAlive, waitUntil } from './server-process.ts';

export type Owners = {
  add(): Promise<void>;
  /** True when nobody else alive is left. */
  remove(): Promise<boolean>;
};

const usersFolder = (dir: string): string => `${dir}.users`;

const isAnyAlive = (names: readonly string[]): boolean => names.map(Number).some(isAlive);

const holderOf = async (file: string): Promise<number> =>
  Number(await readFile(file, 'utf8').catch(() => '0'));

/** Takes a dead process's lock away by one rename, and gives it back if it was not the dead one's after all. */
const discard = async (file: string, dead: number): Promise<void> => {
  const aside = `${file}.${process.pid}`;
  await rename(file, aside).catch(() => {}); // someone was faster
  if ((await holderOf(aside)) !== dead) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
};

/** The name is the lock. On a full disk it has room when the number has not, and a server must be stopped then too. */
const sign = async (handle: FileHandle): Promise<void> => {
  try {
    await handle.write(String(process.pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
};

const tryTake = async (file: string): Promise<boolean> => {
  try {
    await sign(await open(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await holderOf(file);
  if (holder > 0 && !isAlive(holder)) await discard(file, holder);
  return false;
};

const ownersOf = (dir: string): Owners => {
  const folder = usersFolder(dir);
  const mine = path.join(folder, String(process.pid));
  return {
    add: async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(mine, '');
    },
    remove: async () => {
      await rm(mine, { force: true });
      return !isAnyAlive(await readdir(folder).catch(() => []));
    },
  };
};

/** `remove` of the owners, for the last moment of a process, in which nothing can be waited for. */
export const removeAtOnce = (dir: string): boolean => {
  const folder = usersFolder(dir);
  rmSync(path.join(folder, String(process.pid)), { force: true });
  try {
    return !isAnyAlive(readdirSync(folder));
  } catch {
    return true; // there is no such folder
  }
};

/** Runs `work` while no other process (nor another call of this one) does the same for `dir`. */
export const withFolderLock = async <T>(dir: string, work: (owners: Owners) => Promise<T>): Promise<T> => {
  const file = `${dir}.lock`;
  if (!(await waitUntil(() => tryTake(file), 180_000)))
    throw new AppError(
      'UNAVAILABLE',
      `Process ${await holderOf(file)} has been starting or stopping PostgreSQL in ${dir} for three minutes. End it, or delete ${file}.`,
      { part: 'database' },
    );
  try {
    return await work(ownersOf(dir));
  } finally {
    await rm(file, { force: true });
  }
};
