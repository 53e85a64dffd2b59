/**
 * The lock of a data folder: only one process at a time starts or stops the server of the folder. The folder `<dir>.users` lists the
 * processes that use the server.
 */
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

/** The processes that use the server of a folder. Each has a file with its process id as name. */
type Users = {
  /** Adds this process. */
  add(): Promise<void>;
  /** Removes this process. Resolves to true when no other living process is left. */
  remove(): Promise<boolean>;
};

const usersFolder = (dir: string): string => `${dir}.users`;

const isAnyAlive = (names: readonly string[]): boolean => names.map(Number).some(isAlive);

const holderOf = async (file: string): Promise<number> =>
  Number(await readFile(file, 'utf8').catch(() => '0'));

/** Removes the lock of a dead process by one rename. Puts the lock back if it belongs to another process. */
const removeLockOf = async (file: string, dead: number): Promise<void> => {
  const aside = `${file}.${process.pid}`;
  await rename(file, aside).catch(() => {}); // another process was faster
  if ((await holderOf(aside)) !== dead) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
};

/**
 * Writes the process id into the lock. On a full disk the id may be missing, but the file itself is the lock, so a server can still be
 * stopped.
 */
const writePid = async (handle: FileHandle): Promise<void> => {
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
    await writePid(await open(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await holderOf(file);
  if (holder > 0 && !isAlive(holder)) await removeLockOf(file, holder);
  return false;
};

const usersOf = (dir: string): Users => {
  const folder = usersFolder(dir);
  const ownFile = path.join(folder, String(process.pid));
  return {
    add: async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(ownFile, '');
    },
    remove: async () => {
      await rm(ownFile, { force: true });
      return !isAnyAlive(await readdir(folder).catch(() => []));
    },
  };
};

/** `remove` of the users as a synchronous function, for the exit of a process. */
export const removeUserSync = (dir: string): boolean => {
  const folder = usersFolder(dir);
  rmSync(path.join(folder, String(process.pid)), { force: true });
  try {
    return !isAnyAlive(readdirSync(folder));
  } catch {
    return true; // there is no such folder
  }
};

/** Runs `body` while no other process, and no other call in this process, has the lock of `dir`. Errors: UNAVAILABLE after three minutes. */
export const withFolderLock = async <T>(dir: string, body: (users: Users) => Promise<T>): Promise<T> => {
  const file = `${dir}.lock`;
  if (!(await waitUntil(() => tryTake(file), 180_000)))
    throw new AppError(
      'UNAVAILABLE',
      `Process ${await holderOf(file)} has been starting or stopping PostgreSQL in ${dir} for three minutes. End it, or delete ${file}.`,
      { part: 'database' },
    );
  try {
    return await body(usersOf(dir));
  } finally {
    await rm(file, { force: true });
  }
};
