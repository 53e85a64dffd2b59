import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Client, FunnelError } from '@funnel/client';
import type { DatasetName, SweepDetail, SweepInput } from '@funnel/contracts';
import { getDataset } from '@funnel/engine/datasets/get-dataset';
import { findDataset } from '@funnel/engine/datasets/load-dataset';
import { type Env, placesOf } from '../env.ts';
import { explain } from '../explain.ts';
import { formatDuration } from '../output/format.ts';
import { describeLeaderboard } from '../output/leaderboard.ts';
import { describeSweeps } from '../output/sweeps.ts';
import { type Output, present } from '../output/terminal.ts';
import { readSweepFile } from '../sweep-file.ts';
import { readLeaderboard, watchSweep } from '../watch.ts';

/** Seconds that a mirror has for its first byte. */
const connectSeconds = 3;

/** MNIST where it lies on this machine or can be fetched, else the generated digits; says which, and why. */
export const chooseDataset = async (env: Env, output: Output, signal: AbortSignal): Promise<DatasetName> => {
  const places = placesOf(env);
  const found = findDataset('mnist', places);
  if (found) {
    output.note(`Data: MNIST from ${found}`);
    return 'mnist';
  }
  output.note(
    'Data: MNIST is not on this machine (FUNNEL_DATA names a folder that has it); trying to download it …',
  );
  try {
    const folder = await getDataset('mnist', { ...places, signal, connectSeconds });
    output.note(`Data: MNIST, downloaded to ${folder}`);
    return 'mnist';
  } catch {
    signal.throwIfAborted();
    output.note('Data: no mirror could be reached, so the generated digits (glyphs) are used instead.');
    output.note('      `funnel data get mnist` says what is in the way.');
    return 'glyphs';
  }
};

const quickstartFile = fileURLToPath(new URL('../../../../examples/quickstart.yaml', import.meta.url));

const quickstartTitles: Partial<Record<DatasetName, string>> = { glyphs: 'Quickstart on generated digits' };

/** The quickstart sweep as its quickstartFile says, on the data set that is there. */
const quickstartOn = (dataset: DatasetName): SweepInput => {
  const written = readSweepFile(quickstartFile);
  return {
    ...written,
    name: quickstartTitles[dataset] ?? written.name,
    dataset: { ...written.dataset, name: dataset },
  };
};

/**
 * The quickstart sweep: found again when it was submitted before (its key is the hash of what it says), made to go on when it is
 * paused, submitted anew when it was cancelled.
 */
export const submitQuickstart = async (client: Client, dataset: DatasetName): Promise<SweepDetail> => {
  const body = quickstartOn(dataset);
  const key = `quickstart-${createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16)}`;
  const sweep = await client.createSweep({ body, headers: { 'idempotency-key': key } });
  const { status } = await client.getSweep({ params: { id: sweep.id } });
  if (status === 'cancelled') return client.createSweep({ body });
  if (status === 'paused') await client.resumeSweep({ params: { id: sweep.id } });
  return sweep;
};

/** What `funnel up` shows once everything runs: the quickstart on an empty database, else what is there already. */

type Welcome = {
  readonly client: Client;
  readonly env: Env;
  readonly output: Output;
  /** The quickstart sweep is to be done, whatever else is there. */
  readonly once: boolean;
  readonly signal: AbortSignal;
};

/** Shows a sweep to its end, then its leaderboard. Resolves to whether every trial completed. */
const showSweep = async ({ client, output, signal }: Welcome, id: string): Promise<boolean> => {
  const started = performance.now();
  const sweep = await watchSweep(client, id, output, signal);
  output.note(`Sweep: ${sweep.status} after ${formatDuration((performance.now() - started) / 1000)}\n`);
  const { attack, rows } = await readLeaderboard(client, sweep);
  present(output, { sweep, leaderboard: rows }, () => `${describeLeaderboard(rows, { attack })}\n`);
  return sweep.status === 'completed' && sweep.trials.completed === sweep.plan.trials;
};

const runQuickstart = async (options: Welcome): Promise<boolean> => {
  const { client, env, output, signal } = options;
  const dataset = await chooseDataset(env, output, signal);
  const { id } = await submitQuickstart(client, dataset);
  const { name, plan, progress } = await client.getSweep({ params: { id } });
  const { needed, unshared } = plan.epochs;
  output.note(
    progress === 1
      ? `Sweep: ${name}: done before`
      : `Sweep: ${name}: ${plan.trials} trials, ${needed} epochs to train (${unshared} if nothing were shared)`,
  );
  return showSweep(options, id);
};

/** Resolves to false when the quickstart sweep ended and not every trial of it completed. */
export const welcome = async (options: Welcome): Promise<boolean> => {
  const { client, output, once, signal } = options;
  try {
    const { items } = await client.listSweeps({ query: { limit: 10 } }, { signal });
    if (once || items.length === 0) return await runQuickstart(options);
    if (!output.json) output.write(`${describeSweeps(items)}\n`);
    const running = items.find(({ status }) => status === 'running');
    if (running) return await showSweep(options, running.id);
  } catch (error) {
    if (once || signal.aborted) throw error;
    // The service runs, whatever could not be shown or submitted.
    const closed = error instanceof FunnelError && ['UNAUTHENTICATED', 'FORBIDDEN'].includes(error.code);
    output.note(
      closed
        ? 'Tokens are needed here: with one in FUNNEL_TOKEN, what runs is shown.\n'
        : `${explain(error).text}\n`,
    );
  }
  return true;
};
