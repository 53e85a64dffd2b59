/** Servers in processes of their own, which say where they listen and end with this one. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

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
