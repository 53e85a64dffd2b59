/**
 * The services of `funnel up`: PostgreSQL from npm (or DATABASE_URL), the API and one worker. API and worker run in this process;
 * PostgreSQL and the trainers have their own. However this process ends, its channels to the trainers close, and so the trainers end. It
 * also shuts PostgreSQL down. Only after SIGKILL does PostgreSQL go on running; the next start finds it and uses it.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnv as readApiEnv, type StartedApi, startApi, startOptions } from '@funnel/api';
import { engineVersion } from '@funnel/contracts';
import { migrate, retryUntilAdmitted, startEmbedded } from '@funnel/db';
import { logDestination } from '@funnel/log';
import { type RunningWorker, readEnv as readWorkerEnv, startWorker, workerOptions } from '@funnel/worker';
import { type Logger, multistream, pino } from 'pino';
import { describeMigrations } from '../database.ts';
import { embeddedFolder } from '../home.ts';
import { sentenceOf } from '../output/log-lines.ts';
import type { Output } from '../output/terminal.ts';

/** The same sentence is written at most once in this time. Without its database, for example, every request would write one. */
const repeatMs = 30_000;

/** Turns lines of the log into sentences. Counts a repeated sentence, and writes it again later with its count. */
const createErrorWriter = (note: (sentence: string) => void) => {
  const printed = new Map<string, { readonly at: number; repeats: number }>();
  return (text: string): void => {
    const sentence = sentenceOf(JSON.parse(text));
    const before = printed.get(sentence);
    const now = performance.now();
    if (before && now - before.at < repeatMs) {
      before.repeats++;
      return;
    }
    note(
      before?.repeats ? `${sentence} (and ${before.repeats} times since this was last printed)` : sentence,
    );
    for (const [old, { at }] of printed) if (now - at >= repeatMs) printed.delete(old);
    printed.set(sentence, { at: now, repeats: 0 });
  };
};

/** A logger that writes to `funnel.log` of the folder, and errors also to the terminal. */
export const createLog = (home: string, level: string, output: Output): Logger => {
  const tell = (sentence: string): void => output.note(`! ${sentence}`);
  return pino(
    { level },
    multistream([
      { level: 'trace', stream: logDestination(join(home, 'funnel.log'), { tell }) },
      { level: 'error', stream: { write: createErrorWriter(tell) } },
    ]),
  );
};

const firstPauseMs = 1000;
const maxPauseMs = 60_000;
/** After a run of this length, the next pause is `firstPauseMs` again. */
const stableMs = 60_000;

/** `failed` rejects when the first worker ends by itself. */
export type KeptWorker = Pick<RunningWorker, 'slots' | 'backend' | 'device' | 'failed' | 'stop'>;

/**
 * Starts a worker, and starts another one whenever it ends by itself. API and dashboard go on meanwhile. Throws the error of the first
 * start, because then no worker can run on this machine.
 */
const keepWorker = async (start: () => Promise<RunningWorker>, log: Logger): Promise<KeptWorker> => {
  const first = await start();
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve());
  });

  /** Resolves when the worker has ended, to the error that ended it. */
  const waitForEnd = async (worker: RunningWorker): Promise<unknown> => {
    try {
      return await Promise.race([worker.failed, stopped]);
    } catch (error) {
      return error;
    } finally {
      await worker.stop();
    }
  };

  const keepRunning = async (): Promise<void> => {
    let pause = firstPauseMs;
    for (let next = () => Promise.resolve(first); ; next = start) {
      const startedAt = performance.now();
      const error = await next().then(waitForEnd, (startError: unknown) => startError);
      if (stopping.signal.aborted) return;
      if (performance.now() - startedAt > stableMs) pause = firstPauseMs;
      log.error(
        { error: error instanceof Error ? error.message : String(error) },
        `the worker ended; Funnel starts another one in ${pause / 1000} s`,
      );
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      pause = Math.min(maxPauseMs, 2 * pause);
    }
  };
  const kept = keepRunning();

  const { slots, backend, device, failed } = first;
  return {
    ...{ slots, backend, device, failed },
    stop: async () => {
      stopping.abort();
      await kept;
    },
  };
};

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/** An address that a browser can open: loopback instead of the wildcard 0.0.0.0 or [::]. */
const toOpenable = (address: string): string =>
  address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//127.0.0.1:');

/**
 * Starts the API with the settings in `variables`, on a free port if the wanted one is taken. Throws a ZodError that names a wrong
 * variable, and the errors of `startApi`.
 */
const startApiOnFreePort = async (
  variables: NodeJS.ProcessEnv,
  logger: Logger,
  { note, signal }: Pick<ServiceOptions, 'note' | 'signal'>,
): Promise<StartedApi> => {
  const options = { ...startOptions(readApiEnv(variables)), engineVersion, logger, signal };
  const api = await startApi(options).catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    logger.info({ port: options.port }, 'port was taken');
    note(`Another program has port ${options.port}, so Funnel takes a free one.`);
    return startApi({ ...options, port: 0 });
  });
  return { ...api, url: toOpenable(api.url) };
};

export type Services = {
  readonly url: string;
  readonly embedded: boolean;
  readonly worker: KeptWorker;
};

export type ServiceOptions = {
  readonly variables: NodeJS.ProcessEnv;
  readonly home: string;
  readonly log: Logger;
  /** Writes a line to the terminal. */
  readonly note: (sentence: string) => void;
  /** Called whenever a service has started, with the function that stops this service. */
  readonly onStarted: (stop: () => Promise<unknown>) => void;
  /** When it is aborted, no further service starts. */
  readonly signal: AbortSignal;
};

const openDatabase = async ({ variables, home, log, note, onStarted }: ServiceOptions): Promise<string> => {
  if (variables.DATABASE_URL) return variables.DATABASE_URL;
  const embedded = await startEmbedded({
    dir: embeddedFolder(home),
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
  // The embedded database has no pooler.
  const direct = options.variables.DATABASE_URL ? options.variables.DATABASE_DIRECT_URL : undefined;
  const variables = { ...options.variables, DATABASE_URL: databaseUrl, DATABASE_DIRECT_URL: direct };
  const applied = await retryUntilAdmitted(
    () => migrate(direct || databaseUrl, { onWait: note }),
    (error) => log.warn({ err: error }, 'the database accepts no connection now; waiting'),
    signal,
  );
  if (applied.length > 0) {
    note(describeMigrations(applied));
    log.info({ applied }, 'migrated the database');
  }
  const workerLog = log.child({ part: 'worker' });
  const [api, worker] = await Promise.allSettled([
    startApiOnFreePort(variables, log.child({ part: 'api' }), options),
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
