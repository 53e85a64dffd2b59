/**
 * A lock between processes: a file that names its holder. It saves work and nothing else: whoever holds it must do no harm when another
 * process takes it over.
 */
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';

export type FileLock = {
  /** Shows that the holder is alive. Call it more often than every `maxSilentMs`. */
  readonly renew: () => Promise<void>;
  readonly release: () => Promise<void>;
};

/** A holder that has not renewed its lock for as long is gone. Only this shows it for a process of another machine. */
const maxSilentMs = 60_000;

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** The holder of a lock: `pid host`. */
const ownName = `${process.pid} ${hostname()}`;

const isAbandoned = async (path: string): Promise<boolean> => {
  const [pid, host] = (await readFile(path, 'utf8')).split(' ');
  if (host === hostname() && !isRunning(Number(pid))) return true;
  return Math.abs(Date.now() - (await stat(path)).mtimeMs) > maxSilentMs; // the clock may have been set back
};

/** Takes the lock, also from a holder that is gone. Resolves to null while another one has it. */
export const tryLock = async (path: string): Promise<FileLock | null> => {
  const isGone = await isAbandoned(path).catch(() => false); // there is none
  if (isGone) await rm(path, { force: true });
  try {
    const file = await open(path, 'wx');
    await file.writeFile(ownName).finally(() => file.close());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
  return {
    renew: async () => {
      const now = new Date();
      await utimes(path, now, now).catch(() => {}); // another process took it over
    },
    release: () => rm(path, { force: true }),
  };
};
