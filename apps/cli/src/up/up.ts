import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createClient } from '@funnel/client';
import { plural } from '@funnel/contracts';
import { findDataset } from '@funnel/engine/datasets/load-dataset';
import type { Logger } from 'pino';
import type { Context } from '../context.ts';
import { dataFoldersOf, type Env, readEnv } from '../env.ts';
import { Exit, exitCodes } from '../exit.ts';
import { makeHome, readAddress, removeAddress, writeAddress } from '../home.ts';
import { endSoon, untilInterrupted } from '../output/terminal.ts';
import { welcome } from './quickstart.ts';
import { createLog, type Services, startServices } from './services.ts';

export type UpOptions = {
  readonly once?: boolean;
  readonly port?: number;
  readonly host?: string;
  readonly slots?: number;
  readonly data?: string;
};

const describeServices = ({ worker, embedded }: Services, home: string): string =>
  [
    `Worker              ${plural(worker.slots, 'trainer')} on ${worker.backend} (${worker.device})`,
    `Data                ${embedded ? `embedded PostgreSQL in ${home}` : 'the PostgreSQL of DATABASE_URL'}`,
    `Log                 ${home}/funnel.log`,
  ].join('\n');

const describeAddresses = ({ url }: Services): string =>
  `Dashboard and API   ${url}\nAPI reference       ${url}/docs`;

/** An example sweep for the user's next step, on a data set that this machine has. */
const nextSweep = (env: Env): string =>
  `examples/gamma-beta.yaml${findDataset('mnist', dataFoldersOf(env)) ? '' : ' --set dataset.name=glyphs'}`;

/**
 * Throws Exit when Funnel already runs in this folder. The system may give the same process id to another program, so the address must
 * answer too.
 */
const refuseSecondStart = async (home: string): Promise<void> => {
  const address = readAddress(home);
  if (!address) return;
  const answer = await fetch(`${address.url}/healthz`, { signal: AbortSignal.timeout(2000) }).catch(
    () => null,
  );
  if (!answer?.ok) return;
  throw new Exit(
    exitCodes.failed,
    `Funnel already runs in ${home}: ${address.url} (process ${address.pid}).`,
  );
};

/**
 * Rejects when the worker ends by itself and `once` is true. Without `once`, the promise never settles, because `keepWorker` starts another
 * worker.
 */
const workerFailure = ({ worker }: Services, once: boolean): Promise<never> =>
  worker.failed.catch((error: unknown) => {
    if (!once) return new Promise<never>(() => {});
    const reason = error instanceof Error ? error.message : String(error);
    throw new Exit(exitCodes.failed, `The worker ended: ${reason}`);
  });

/** After an uncaught error, the process ends after this time, even if a service has not stopped. */
const stopMs = 30_000;

/** Rejects with the first uncaught error, so that `up` can stop all services in order. */
const uncaughtError = (log: Logger): Promise<never> => {
  const rejection = new Promise<never>((_, reject) => {
    process.on('uncaughtException', (error) => {
      log.fatal({ err: error }, 'an error was not caught');
      setTimeout(() => process.exit(exitCodes.failed), stopMs).unref();
      reject(error);
    });
  });
  rejection.catch(() => {}); // A second error may come while services stop.
  return rejection;
};

/** Runs until Ctrl-C, or with `once` until it has printed the leaderboard; then stops everything. */
export const up = async (
  { once = false, port, host, slots, data }: UpOptions,
  context: Context,
): Promise<void> => {
  const { output } = context;
  if (data !== undefined && !statSync(data, { throwIfNoEntry: false })?.isDirectory())
    throw new Exit(
      exitCodes.usage,
      `--data: expected a folder with data sets, but there is no folder ${data}`,
    );
  await refuseSecondStart(resolve(context.env.FUNNEL_HOME));
  const home = makeHome(context.env);
  // All services read their settings from variables, so options become variables too.
  const options = { FUNNEL_PORT: port, FUNNEL_HOST: host, FUNNEL_SLOTS: slots, FUNNEL_DATA: data };
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  const variables = { ...context.variables, ...Object.fromEntries(given), FUNNEL_HOME: home };
  const env = readEnv(variables);

  const interruption = untilInterrupted(() => process.exit(exitCodes.interrupted));
  const ending = new AbortController();
  interruption.signal.addEventListener('abort', () => ending.abort());
  const log = createLog(home, env.FUNNEL_LOG_LEVEL, output);
  const stops: (() => Promise<unknown>)[] = [];
  const run = async (): Promise<boolean> => {
    output.note(`Funnel starts in ${home} …`);
    const onStarted = (stop: () => Promise<unknown>) => stops.push(stop);
    const { note } = output;
    const services = await startServices({ variables, home, log, note, onStarted, signal: ending.signal });
    writeAddress(home, {
      url: services.url,
      embedded: services.embedded,
      ...(env.FUNNEL_DATA !== undefined && { data: resolve(env.FUNNEL_DATA) }),
    });
    onStarted(async () => removeAddress(home));
    const failure = workerFailure(services, once);
    failure.catch(() => ending.abort());
    output.note(`${describeAddresses(services)}\n${describeServices(services, home)}\n`);

    const client = createClient({ url: services.url, token: env.FUNNEL_TOKEN ?? env.FUNNEL_ADMIN_TOKEN });
    const isComplete = await Promise.race([
      welcome({ client, env, output, once, signal: ending.signal }),
      failure,
    ]);
    output.note(describeAddresses(services));
    if (!once) {
      output.note(`Serving until Ctrl-C. In another terminal: npx funnel submit ${nextSweep(env)} --watch`);
      await Promise.race([interruption.happened, failure]);
    }
    return isComplete;
  };
  let isComplete = true;
  try {
    isComplete = await Promise.race([run(), uncaughtError(log)]);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
  } finally {
    ending.abort();
    if (interruption.signal.aborted)
      output.note(`\nStopping after ${interruption.cause()}: trainers write checkpoints …`);
    for (const stop of stops.reverse())
      await stop().catch((error: unknown) => log.error({ err: error }, 'a service did not stop'));
    output.note('Funnel has stopped.');
    endSoon();
  }
  if (interruption.isReaderGone()) throw new Exit(exitCodes.readerGone);
  if (once && interruption.signal.aborted) throw new Exit(exitCodes.interrupted);
  if (!isComplete && once) throw new Exit(exitCodes.incomplete, 'Not every trial completed.');
};
