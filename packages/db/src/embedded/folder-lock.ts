/**
 * The lock of a data folder: only one process at a time starts or stops the server of the folder. The folder `<dir>.users` lists the
 * processes that use the server.
 */
import { readdirSync, rmSync } from 'node:fs';
import { readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';
import { isRunning, ownName } from './processes.ts';
import { waitUntil } from './server-process.ts';

/** The processes that use the server of a folder. Each has a file that is named by the process and holds the port of the server. */
type Users = {
  /** Adds this process. */
  add(port: number): Promise<void>;
  /** The port where a living process expects the server; null when there is none. */
  port(): Promise<number | null>;
  /** Removes this process. Resolves to true when no other living process is left. */
  remove(): Promise<boolean>;
};

const usersFolder = (dir: string): string => `${dir}.users`;

const ignoreCode =
  (code: string) =>
  (error: NodeJS.ErrnoException): void => {
    if (error.code !== code) throw error;
  };

/** Longer than any start or stop takes. */
const maxLockMs = 180_000;

/** A process that makes a lock file writes its name into it within this time. */
const maxNamelessMs = 5_000;

/**
 * The name of the process that has the lock; null when there is no lock. Empty when it is not known: on a full disk, Funnel before 0.2 made a
 * file without content.
 */
const holderOf = async (file: string): Promise<string | null> => {
  const name = await readlink(file)
    .catch(() => readFile(file, 'utf8'))
    .catch(() => null);
  return name === null ? null : path.basename(name.trim());
};

/** Whether the process that made the lock is surely gone. */
const isAbandoned = async (file: string, holder: string): Promise<boolean> => {
  if (holder !== '') return !isRunning(holder);
  const found = await stat(file).catch(() => null);
  return found !== null && Math.abs(Date.now() - found.mtimeMs) > maxNamelessMs; // the clock may have been set back
};

/** Removes an abandoned lock by one rename, and puts it back when it turns out to be of another process. */
const removeLockOf = async (file: string, holder: string): Promise<void> => {
  const aside = `${file}.${ownName}`;
  await rename(file, aside).catch(ignoreCode('ENOENT')); // another process was faster
  const moved = await holderOf(aside);
  if (moved !== null && moved !== holder) await makeLock(file, moved);
  await rm(aside, { force: true });
};

/**
 * Returns false when there is a lock. The lock is a symbolic link to the name of its holder: it never is without the name, because it appears
 * whole and needs no space of a full disk. (`junction`: Windows allows other links to administrators only.)
 */
const makeLock = async (file: string, holder: string): Promise<boolean> => {
  try {
    await symlink(holder, file, 'junction');
    return true;
  } catch (error) {
    ignoreCode('EEXIST')(error as NodeJS.ErrnoException);
    return false;
  }
};

const tryTake = async (file: string): Promise<boolean> => {
  if (await makeLock(file, ownName)) return true;
  const holder = await holderOf(file);
  if (holder !== null && (await isAbandoned(file, holder))) await removeLockOf(file, holder);
  return false;
};

const usersOf = (dir: string): Users => {
  const folder = usersFolder(dir);
  const ownFile = path.join(folder, ownName);
  const living = async (): Promise<readonly string[]> =>
    (await readdir(folder).catch(() => [])).filter(isRunning);
  return {
    add: async (port) => {
      makeFolder(folder);
      await writeFile(ownFile, String(port)).catch(ignoreCode('ENOSPC')); // the file is there, and its name counts
    },
    port: async () => {
      const texts = (await living()).map((name) => readFile(path.join(folder, name), 'utf8').catch(() => ''));
      return (await Promise.all(texts)).map(Number).find((port) => port > 0) ?? null;
    },
    remove: async () => {
      await rm(ownFile, { force: true });
      return (await living()).length === 0;
    },
  };
};

/** `remove` of the users as a synchronous function, for the exit of a process. */
export const removeUserSync = (dir: string): boolean => {
  const folder = usersFolder(dir);
  rmSync(path.join(folder, ownName), { force: true });
  try {
    return !readdirSync(folder).some(isRunning);
  } catch {
    return true; // there is no such folder
  }
};

/** Runs `body` while no other process, and no other call in this process, has the lock of `dir`. Errors: UNAVAILABLE after three minutes. */
export const withFolderLock = async <T>(dir: string, body: (users: Users) => Promise<T>): Promise<T> => {
  const file = `${dir}.lock`;
  if (!(await waitUntil(() => tryTake(file), maxLockMs)))
    throw new AppError(
      'UNAVAILABLE',
      `Process ${(await holderOf(file))?.split('-')[0]} has been starting or stopping PostgreSQL in ${dir} for three minutes. End it, or delete ${file}.`,
      { part: 'database' },
    );
  try {
    return await body(usersOf(dir));
  } finally {
    await rm(file, { force: true });
  }
};
