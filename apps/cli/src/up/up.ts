import { resolve } from 'node:path';
import type { Client } from '@funnel/client';
import { createClient } from '@funnel/client';
import { removeAddress, writeAddress } from '../address.ts';
import type { Context } from '../context.ts';
import type { Env } from '../env.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { describeSweeps } from '../output/describe-sweep.ts';
import { formatDuration } from '../output/duration.ts';
import type { Output } from '../output/output.ts';
import { describeLeaderboard } from '../watch/describe-leaderboard.ts';
import { readLeaderboard } from '../watch/read-leaderboard.ts';
import { watchSweep } from '../watch/watch-sweep.ts';
import { chooseDataset } from './choose-dataset.ts';
import { createLog } from './create-log.ts';
import { submitQuickstart } from './quickstart.ts';
import { type Services, startServices } from './start-services.ts';
import { untilInterrupted } from './until-interrupted.ts';

export type UpOptions = { readonly once?: boolean; readonly port?: number; readonly host?: string };

const describeServices = ({ url, worker, embedded }: Services, home: string): string[] => [
  `Dashboard and API   ${url}`,
  `API reference       ${url}/docs`,
  `Worker              ${worker.slots} trainer${worker.slots === 1 ? '' : 's'} on ${worker.backend} (${worker.device})`,
  `Data                ${embedded ? `embedded PostgreSQL in ${home}` : 'the PostgreSQL of DATABASE_URL'}`,
  `Log                 ${home}/funnel.log`,
];

/** Runs the quickstart sweep to its end and prints its leaderboard. Returns whether every trial completed. */
const runQuickstart = async (
  client: Client,
  env: Env,
  output: Output,
  signal: AbortSignal,
): Promise<boolean> => {
  const dataset = await chooseDataset(env, output, signal);
  const submitted = await submitQuickstart(client, dataset);
  const { plan } = submitted;
  output.note(
    `Sweep: ${submitted.name}: ${plan.trials} trials, ${plan.epochs.needed} epochs to train (${plan.epochs.unshared} if nothing were shared)`,
  );
  const started = performance.now();
  const sweep = await watchSweep(client, submitted.id, output, signal);
  output.note(`Sweep: ${sweep.status} after ${formatDuration((performance.now() - started) / 1000)}\n`);
  output.write(describeLeaderboard(await readLeaderboard(client, sweep)));
  output.write('');
  return sweep.status === 'completed' && sweep.trials.completed === plan.trials;
};

/** What to show at the start: the quickstart on an empty database, else what is there already. */
const welcome = async (
  client: Client,
  { env, output }: Context,
  once: boolean,
  signal: AbortSignal,
): Promise<boolean> => {
  const { items } = await client.listSweeps({ query: { limit: 10 } }, { signal });
  if (once || items.length === 0) return runQuickstart(client, env, output, signal);
  output.write(`${describeSweeps(items)}\n`);
  return true;
};

/** Runs until Ctrl-C, or until the leaderboard with `once`; then stops everything. */
export const up = async (options: UpOptions, context: Context): Promise<void> => {
  const { output } = context;
  const env = {
    ...context.env,
    FUNNEL_PORT: options.port ?? context.env.FUNNEL_PORT,
    FUNNEL_HOST: options.host ?? context.env.FUNNEL_HOST,
  };
  const home = resolve(env.FUNNEL_HOME);
  const stops: (() => Promise<unknown>)[] = [];
  const interruption = untilInterrupted(() => process.exit(exitCodes.interrupted));
  const log = createLog(home, env.FUNNEL_LOG_LEVEL, output);
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.reverse())
      await stop().catch((error: unknown) => log.error({ err: error }, 'a part did not stop well'));
  };
  let allCompleted = true;
  try {
    output.note(`Funnel starts in ${home} …`);
    const services = await startServices({
      env,
      home,
      log,
      onStarted: (stop) => stops.push(stop),
      signal: interruption.signal,
    });
    writeAddress(home, services.url);
    stops.push(async () => removeAddress(home));
    const lines = describeServices(services, home);
    output.note(`${lines.join('\n')}\n`);
    const failed = services.worker.failed.catch((error: unknown) => {
      throw new Exit(
        exitCodes.failed,
        `The worker cannot go on: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    const client = createClient({ url: services.url, token: env.FUNNEL_TOKEN });
    const ready = welcome(client, { ...context, env }, options.once ?? false, interruption.signal);
    allCompleted = await Promise.race([ready, failed]);
    output.note(lines.slice(0, 2).join('\n'));
    if (!options.once) {
      output.note('Serving until Ctrl-C. In another terminal: npx funnel submit examples/paper.yaml --watch');
      await Promise.race([interruption.happened, failed]);
    }
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
  } finally {
    if (interruption.signal.aborted) output.note('Stopping: trainers write checkpoints …');
    await stopAll();
    output.note('Funnel has stopped.');
  }
  if (options.once && interruption.signal.aborted) throw new Exit(exitCodes.interrupted);
  if (options.once && !allCompleted) throw new Exit(exitCodes.incomplete, 'Not every trial completed.');
};
