/** A server that ends without being asked to is started again on its port, so that its clients only need to reconnect. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFolderLock } from './folder-lock.ts';
import { findPostmaster } from './postmaster.ts';
import { type Launch, serve } from './serve.ts';

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
