/**
 * Everything that `funnel up` runs, in one process: PostgreSQL from npm (or DATABASE_URL), the API and one worker. API and supervisor do
 * no arithmetic (trainers do, as processes of their own), so one process loses nothing and leaves nothing. However it ends, its trainers
 * see the closed channel and end at once, and PostgreSQL is told to shut down. Only SIGKILL leaves PostgreSQL running: the next start finds
 * it and uses it again.
 */
import { join } from 'node:path';
import { migrate, startEmbedded, whenAdmitted } from '@funnel/db';
import { readEnv, startWorker, workerOptions } from '@funnel/worker';
import type { Logger } from 'pino';
import { describeMigrations } from '../with-database.ts';
import { type KeptWorker, keepWorker } from './keep-worker.ts';
import { startApiSomewhere } from './start-api.ts';

export type Services = {
  readonly url: string;
  readonly embedded: boolean;
  readonly worker: KeptWorker;
};

export type ServiceOptions = {
  readonly variables: NodeJS.ProcessEnv;
  readonly home: string;
  readonly log: Logger;
  /** Tells the person at the terminal. */
  readonly note: (sentence: string) => void;
  /** Takes what has to be stopped, in the order of starting. */
  readonly onStarted: (stop: () => Promise<unknown>) => void;
  /** Aborted: what has not been started yet is not. */
  readonly signal: AbortSignal;
};

const openDatabase = async ({ variables, home, log, note, onStarted }: ServiceOptions): Promise<string> => {
  if (variables.DATABASE_URL) return variables.DATABASE_URL;
  const embedded = await startEmbedded({
    dir: join(home, 'pgdata'),
    log: (message, fields, level) => {
      log[level](fields, message);
      if (level === 'warn') note(`! ${message}`);
    },
  });
  onStarted(embedded.stop);
  return embedded.url;
};

export const startServices = async (options: ServiceOptions): Promise<Services> => {
  const { log, note, onStarted, signal } = options;
  const databaseUrl = await openDatabase(options);
  signal.throwIfAborted();
  const applied = await whenAdmitted(
    () => migrate(databaseUrl, { onWait: note }),
    (error) => log.warn({ err: error }, 'the database takes no connection now: waiting until it does'),
    signal,
  );
  if (applied.length > 0) {
    note(describeMigrations(applied));
    log.info({ applied }, 'migrated the database');
  }
  const variables = { ...options.variables, DATABASE_URL: databaseUrl };
  const workerLog = log.child({ part: 'worker' });
  const [api, worker] = await Promise.allSettled([
    startApiSomewhere(variables, log.child({ part: 'api' }), signal),
    keepWorker(
      () => startWorker({ ...workerOptions(readEnv(variables)), signal, log: workerLog }),
      workerLog,
    ),
  ]);
  if (api.status === 'fulfilled') onStarted(api.value.close);
  if (worker.status === 'fulfilled') onStarted(worker.value.stop);
  if (api.status === 'rejected') throw api.reason;
  if (worker.status === 'rejected') throw worker.reason;
  return { url: api.value.url, embedded: !options.variables.DATABASE_URL, worker: worker.value };
};
