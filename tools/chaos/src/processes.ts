/** Processes of one run: started again whenever they end, until they are told to stop for good. */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

export type Process = {
  readonly name: string;
  readonly pid: () => number | undefined;
  /** False when it is not running just now. */
  readonly kill: (signal: NodeJS.Signals) => boolean;
  /** Times that it was started. */
  readonly starts: () => number;
  /** SIGTERM, then SIGKILL after a while; resolves when it is gone. */
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

const restartMilliseconds = 300;
const patienceMilliseconds = 20_000;

export const keepRunning = ({ name, command, args, env = {}, logs }: Command): Process => {
  const log = openSync(path.join(logs, `${name}.log`), 'a');
  let child: ChildProcess;
  let starts = 0;
  let wanted = true;
  let gone: Promise<void>;
  const start = (): void => {
    starts += 1;
    // Only what is named here: a DATABASE_URL of the surroundings must not reach a process that is made to suffer.
    const inherited = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
    child = spawn(command, args, { env: { ...inherited, ...env }, stdio: ['ignore', log, log] });
    gone = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => {
        resolve();
        if (wanted) setTimeout(() => wanted && start(), restartMilliseconds);
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
      const late = setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds);
      await gone;
      clearTimeout(late);
    },
  };
};

/** Children of a process (Linux): a worker's trainers. */
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
