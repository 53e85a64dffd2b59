import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnv as readApiEnv, type StartedApi, startApi, startOptions } from '@funnel/api';
import { migrate, startEmbedded, whenAdmitted } from '@funnel/db';
import { engineVersion } from '@funnel/engine/engine-version';
import { logDestination } from '@funnel/log';
import { type RunningWorker, readEnv as readWorkerEnv, startWorker, workerOptions } from '@funnel/worker';
import { type Logger, multistream, pino } from 'pino';
import { describeMigrations } from '../database.ts';
import type { Output } from '../output/terminal.ts';

type Line = { readonly msg?: string; readonly error?: string; readonly err?: { readonly message?: string } };

/** The same words are said once in this time: a database that is away fails every request. */
const quietMilliseconds = 30_000;

/** Says lines of the log in words; what was said just now is counted, and said again with its number. */
const createTerminal = (say: (sentence: string) => void) => {
  const said = new Map<string, { readonly at: number; more: number }>();
  return (text: string): void => {
    const { msg, error, err }: Line = JSON.parse(text);
    const why = error ?? err?.message;
    const sentence = `${msg ?? 'something happened'}${why ? `: ${why}` : ''}`;
    const before = said.get(sentence);
    const now = performance.now();
    if (before && now - before.at < quietMilliseconds) {
      before.more++;
      return;
    }
    say(before?.more ? `${sentence} (and ${before.more} times since it was said last)` : sentence);
    for (const [old, { at }] of said) if (now - at >= quietMilliseconds) said.delete(old);
    said.set(sentence, { at: now, more: 0 });
  };
};

/** Everything goes to `funnel.log`; errors are also said on the terminal, in words. */
export const createLog = (home: string, level: string, output: Output): Logger => {
  mkdirSync(home, { recursive: true });
  const say = (sentence: string): void => output.note(`! ${sentence}`);
  return pino(
    { level },
    multistream([
      { level: 'trace', stream: logDestination(join(home, 'funnel.log'), { say }) },
      { level: 'error', stream: { write: createTerminal(say) } },
    ]),
  );
};

/** A worker that ends by itself is started again: the API and the dashboard go on meanwhile. */

const firstPause = 1000;
const longestPause = 60_000;
/** What ends a worker that has worked for so long is something new. */
const wellMilliseconds = 60_000;

/** `failed` rejects when it ends by itself for the first time. */
export type KeptWorker = Pick<RunningWorker, 'slots' | 'backend' | 'device' | 'failed' | 'stop'>;

/** Throws what the first start throws: that one tells whether a worker can run here at all. */
export const keepWorker = async (start: () => Promise<RunningWorker>, log: Logger): Promise<KeptWorker> => {
  const first = await start();
  const leaving = new AbortController();
  const left = new Promise<void>((resolve) => {
    leaving.signal.addEventListener('abort', () => resolve());
  });

  /** Resolves to why the worker ended. */
  const endOf = async (worker: RunningWorker): Promise<unknown> => {
    try {
      return await Promise.race([worker.failed, left]);
    } catch (error) {
      return error;
    } finally {
      await worker.stop();
    }
  };

  const keep = async (): Promise<void> => {
    let pause = firstPause;
    for (let next = () => Promise.resolve(first); ; next = start) {
      const begun = performance.now();
      const error = await next().then(endOf, (refusal: unknown) => refusal);
      if (leaving.signal.aborted) return;
      if (performance.now() - begun > wellMilliseconds) pause = firstPause;
      log.error(
        { error: error instanceof Error ? error.message : String(error) },
        `the worker ended and is started again in ${pause / 1000} s`,
      );
      await sleep(pause, undefined, { signal: leaving.signal }).catch(() => {});
      if (leaving.signal.aborted) return;
      pause = Math.min(longestPause, 2 * pause);
    }
  };
  const keeping = keep();

  const { slots, backend, device, failed } = first;
  return {
    ...{ slots, backend, device, failed },
    stop: async () => {
      leaving.abort();
      await keeping;
    },
  };
};

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** An address that a browser can open: a wildcard is reached through loopback. */
const openable = (address: string): string =>
  address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//127.0.0.1:');

/**
 * The API as `variables` say, on the wanted port or, where that is taken, on a free one. Throws a ZodError that names a variable that is
 * wrong, and what `startApi` throws.
 */
export const startApiSomewhere = async (
  variables: NodeJS.ProcessEnv,
  logger: Logger,
  signal: AbortSignal,
): Promise<StartedApi> => {
  const options = { ...startOptions(readApiEnv(variables)), engineVersion, logger, signal };
  const api = await startApi(options).catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    logger.info({ port: options.port }, 'port was taken');
    return startApi({ ...options, port: 0 });
  });
  return { ...api, url: openable(api.url) };
};

/**
 * Everything that `funnel up` runs, in one process: PostgreSQL from npm (or DATABASE_URL), the API and one worker. API and supervisor do
 * no arithmetic (trainers do, as processes of their own), so one process loses nothing and leaves nothing. However it ends, its trainers
 * see the closed channel and end at once, and PostgreSQL is told to shut down. Only SIGKILL leaves PostgreSQL running: the next start finds
 * it and uses it again.
 */

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
      () => startWorker({ ...workerOptions(readWorkerEnv(variables)), signal, log: workerLog }),
      workerLog,
    ),
  ]);
  if (api.status === 'fulfilled') onStarted(api.value.close);
  if (worker.status === 'fulfilled') onStarted(worker.value.stop);
  if (api.status === 'rejected') throw api.reason;
  if (worker.status === 'rejected') throw worker.reason;
  return { url: api.value.url, embedded: !options.variables.DATABASE_URL, worker: worker.value };
};
