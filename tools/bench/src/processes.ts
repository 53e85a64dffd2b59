/** What is timed as one trainer runs in a process with a trainer's options. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { oneCore } from '@funnel/worker';

export const hasOneCore = (): boolean => oneCore.every((option) => process.execArgv.includes(option));

/** This process's command once more, in such a process: its output is ours, and so is its exit code. */
export const repeatInOneCore = async (): Promise<void> => {
  const child = spawn(process.execPath, [...oneCore, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  process.on('SIGINT', () => {}); // a terminal's reaches both, and the child ends what it started
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'exit');
  process.exitCode = typeof code === 'number' ? code : 1;
};

/**
 * Runs `work`, then ends in reverse order what it handed to `closing`: also when it fails, and on Ctrl-C or SIGTERM, which leave nothing
 * running.
 */
export const untilInterrupted = async <T>(
  work: (closing: (end: () => Promise<void>) => void) => Promise<T>,
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
    return await work((end) => ends.push(end));
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await endAll();
  }
};

/** Servers in processes of their own, which say where they listen and end with this one. */

export type Server = { readonly url: string; readonly close: () => Promise<void> };

/** Milliseconds for a server to come up, and to go. */
const patience = 60_000;

const ended = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const open = async (script: string, options: unknown): Promise<Server> => {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), [JSON.stringify(options)]);
  const signal = AbortSignal.timeout(patience);
  const [url] = await Promise.race([
    once(child, 'message', { signal }),
    once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`Expected ${script} to listen, but it ended with ${code}`);
    }),
  ]);
  return {
    url: String(url),
    close: async () => {
      if (ended(child)) return;
      const late = setTimeout(() => child.kill('SIGKILL'), patience);
      child.disconnect();
      await once(child, 'exit');
      clearTimeout(late);
    },
  };
};

/** The product's own API. */
export const openApi = (databaseUrl: string): Promise<Server> => open('./api-process.ts', { databaseUrl });

/** A Fastify with one route that does nothing. */
export const openBare = (): Promise<Server> => open('./bare-process.ts', {});
