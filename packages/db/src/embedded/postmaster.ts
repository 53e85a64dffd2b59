/** Who serves a data folder: what `postmaster.pid` says, and whether it is still true. */
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';

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
