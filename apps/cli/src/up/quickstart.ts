/** The output of `funnel up` once its services run: the quickstart sweep on an empty database, else the existing sweeps. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Client, FunnelError } from '@funnel/client';
import {
  type DatasetName,
  plural,
  type SweepDetail,
  type SweepInput,
  statusText,
  timeTaken,
} from '@funnel/contracts';
import { getDataset } from '@funnel/engine/datasets/get-dataset';
import { findDataset } from '@funnel/engine/datasets/load-dataset';
import { dataFoldersOf, type Env } from '../env.ts';
import { explain } from '../exit.ts';
import { describeLeaderboard } from '../output/leaderboard.ts';
import { describeSweeps } from '../output/sweeps.ts';
import { type Output, present } from '../output/terminal.ts';
import { readSweepFile } from '../sweep-file.ts';
import { readLeaderboard, untilAnswered, watchSweep } from '../watch.ts';

/** A mirror must send its first byte within this many seconds. */
const connectSeconds = 3;

/** Chooses MNIST if it is on this machine or can be downloaded, else the generated digits. Tells the user the choice and the reason. */
const chooseDataset = async (env: Env, output: Output, signal: AbortSignal): Promise<DatasetName> => {
  const folders = dataFoldersOf(env);
  const found = findDataset('mnist', folders);
  if (found) {
    output.note(`Data: MNIST from ${found}`);
    return 'mnist';
  }
  output.note(
    'Data: MNIST is not on this machine (FUNNEL_DATA can name a folder that has it); trying to download it …',
  );
  try {
    const folder = await getDataset('mnist', { ...folders, signal, connectSeconds });
    output.note(`Data: MNIST, downloaded to ${folder}`);
    return 'mnist';
  } catch {
    signal.throwIfAborted();
    output.note('Data: no mirror answered, so Funnel uses generated digits (glyphs) instead.');
    output.note('      `npx funnel data get mnist` says why.');
    return 'glyphs';
  }
};

const quickstartFile = fileURLToPath(new URL('../../../../examples/quickstart.yaml', import.meta.url));

const quickstartTitles: Partial<Record<DatasetName, string>> = { glyphs: 'Quickstart on generated digits' };

/** The sweep of examples/quickstart.yaml, on this data set. */
const quickstartOn = (dataset: DatasetName): SweepInput => {
  const sweep = readSweepFile(quickstartFile);
  return {
    ...sweep,
    name: quickstartTitles[dataset] ?? sweep.name,
    dataset: { ...sweep.dataset, name: dataset },
  };
};

/**
 * Submits the quickstart sweep. Its idempotency key is its hash, so the next start finds the same sweep. Resumes the sweep if it is paused,
 * and submits it again if it was cancelled.
 */
const submitQuickstart = async (client: Client, dataset: DatasetName): Promise<SweepDetail> => {
  const body = quickstartOn(dataset);
  const key = `quickstart-${createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16)}`;
  const sweep = await client.createSweep({ body, headers: { 'idempotency-key': key } });
  const { status } = await client.getSweep({ params: { id: sweep.id } });
  if (status === 'cancelling' || status === 'cancelled') return client.createSweep({ body });
  if (status === 'pausing' || status === 'paused') await client.resumeSweep({ params: { id: sweep.id } });
  return sweep;
};

type Welcome = {
  readonly client: Client;
  readonly env: Env;
  readonly output: Output;
  /** Runs the quickstart sweep even if the database has other sweeps. */
  readonly once: boolean;
  readonly signal: AbortSignal;
};

/** Shows the progress of a sweep until its end, then its leaderboard. Returns true when every trial completed. */
const showSweep = async ({ client, output, signal }: Welcome, id: string): Promise<boolean> => {
  const sweep = await watchSweep(client, id, output, signal);
  const taken = timeTaken(sweep);
  output.note(`Sweep: ${statusText(sweep.status)}${taken === null ? '' : ` after ${taken}`}\n`);
  const { attack, rows, notes } = await untilAnswered(
    () => readLeaderboard(client, sweep, output),
    output,
    signal,
  );
  present(output, { sweep, leaderboard: rows }, () => `${describeLeaderboard(rows, { attack, notes })}\n`);
  return sweep.status === 'completed';
};

const runQuickstart = async (options: Welcome): Promise<boolean> => {
  const { client, env, output, signal } = options;
  const dataset = await chooseDataset(env, output, signal);
  const { id } = await submitQuickstart(client, dataset);
  const { name, plan, progress } = await client.getSweep({ params: { id } });
  const { needed, unshared } = plan.epochs;
  output.note(
    progress === 1
      ? `Sweep: ${name}: completed earlier`
      : `Sweep: ${name}: ${plural(plan.trials, 'trial')}, ${plural(needed, 'epoch')} to train${unshared > needed ? ` (${unshared} without sharing)` : ''}`,
  );
  return showSweep(options, id);
};

/**
 * Shows the quickstart sweep on an empty database, else the existing sweeps. Returns false when a trial of the shown sweep did not
 * complete.
 */
export const welcome = async (options: Welcome): Promise<boolean> => {
  const { client, env, output, once, signal } = options;
  try {
    const { items } = await client.listSweeps({ query: { limit: 10 } }, { signal });
    if (once || items.length === 0) return await runQuickstart(options);
    if (!output.json) output.write(`${describeSweeps(items, output.resultColumns())}\n`);
    const running = items.find(({ status }) => status === 'running');
    if (running) return await showSweep(options, running.id);
  } catch (error) {
    if (once || signal.aborted) throw error;
    // The service goes on, although this output failed.
    const wantsToken = error instanceof FunnelError && ['UNAUTHENTICATED', 'FORBIDDEN'].includes(error.code);
    output.note(
      wantsToken && !(env.FUNNEL_TOKEN ?? env.FUNNEL_ADMIN_TOKEN)
        ? 'The API needs a token. Set FUNNEL_TOKEN to see the running sweep here: export FUNNEL_TOKEN=…\n'
        : `${explain(error).text}\n`,
    );
  }
  return true;
};
