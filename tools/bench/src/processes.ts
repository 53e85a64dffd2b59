/** Processes of a benchmark: starts this process again with the options of a trainer, starts servers, and cleans up on Ctrl-C. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { oneCore } from '@funnel/worker';
import type { ServerOptions } from './server-process.ts';

/** True where this process has the options of a worker's trainer, which keep it on one core. */
export const isSingleThreaded = (): boolean => oneCore.every((option) => process.execArgv.includes(option));

/** Runs the command of this process again with these options; output and exit code become those of this process. */
export const rerunSingleThreaded = async (): Promise<void> => {
  const child = spawn(process.execPath, [...oneCore, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  process.on('SIGINT', () => {}); // Ctrl-C reaches both, and the child cleans up
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'exit');
  process.exitCode = typeof code === 'number' ? code : 1;
};

/**
 * Runs `use`, then calls the functions that it passed to `onEnd`, last one first: also where `use` fails, and on Ctrl-C or SIGTERM.
 */
export const untilInterrupted = async <T>(
  use: (onEnd: (end: () => Promise<void>) => void) => Promise<T>,
): Promise<T> => {
  const ends: (() => Promise<void>)[] = [];
  const endEach = async (): Promise<void> => {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  };
  let ending: Promise<void> | undefined;
  const endAll = (): Promise<void> => (ending ??= endEach());
  const interrupt = (): void => void endAll().finally(() => process.exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await use((end) => ends.push(end));
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await endAll();
  }
};

export type Server = {
  readonly url: string;
  readonly pid: number;
  readonly close: () => Promise<void>;
};

/** The time for a server to start, and for it to stop. */
const serverTimeoutMs = 60_000;

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Starts a server in a process of its own. */
const openServer = async (options: ServerOptions): Promise<Server> => {
  const child = fork(fileURLToPath(new URL('server-process.ts', import.meta.url)), [JSON.stringify(options)]);
  const signal = AbortSignal.timeout(serverTimeoutMs);
  const [url] = await Promise.race([
    once(child, 'message', { signal }),
    once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`Expected the server to listen, but it ended with ${code}`);
    }),
  ]);
  return {
    url: String(url),
    pid: child.pid!, // it runs
    close: async () => {
      if (hasEnded(child)) return;
      const late = setTimeout(() => child.kill('SIGKILL'), serverTimeoutMs);
      child.disconnect();
      await once(child, 'exit');
      clearTimeout(late);
    },
  };
};

/** The API of Funnel. */
export const openApi = (databaseUrl: string): Promise<Server> => openServer({ databaseUrl });

/** A Fastify with one route that does nothing. */
export const openBare = (): Promise<Server> => openServer({ databaseUrl: null });
