import type { ChildProcess } from 'node:child_process';
import { stopPostmaster } from './postmaster.ts';
import { type Launch, serve } from './serve.ts';

export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** A server that ends without being asked to is started again on its port, so that its clients only need to reconnect. */
export const keepServing = (what: Launch, port: number, password: string, first: ChildProcess, log: Log) => {
  let stopping = false;
  const watch = (child: ChildProcess) => {
    child.unref();
    child.once('exit', (code, signal) => {
      if (stopping) return;
      log('PostgreSQL ended by itself and is started again', { code, signal });
      restart(1);
    });
  };
  const restart = async (attempt: number): Promise<void> => {
    try {
      const { child } = await serve(what, port, password);
      if (stopping) await stopPostmaster({ pid: child.pid!, port });
      else watch(child);
    } catch (error) {
      log('PostgreSQL could not be started again', { attempt, error: String(error) });
      if (!stopping) setTimeout(() => restart(attempt + 1), Math.min(30_000, 500 * 2 ** attempt)).unref();
    }
  };
  watch(first);
  return () => {
    stopping = true;
  };
};
