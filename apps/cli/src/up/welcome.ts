/** What `funnel up` shows once everything runs: the quickstart on an empty database, else what is there already. */
import { type Client, FunnelError } from '@funnel/client';
import type { Env } from '../env.ts';
import { describeSweeps } from '../output/describe-sweep.ts';
import { formatDuration } from '../output/duration.ts';
import { explain } from '../output/explain.ts';
import { type Output, present } from '../output/output.ts';
import { describeLeaderboard } from '../watch/describe-leaderboard.ts';
import { readLeaderboard } from '../watch/read-leaderboard.ts';
import { watchSweep } from '../watch/watch-sweep.ts';
import { chooseDataset } from './choose-dataset.ts';
import { submitQuickstart } from './quickstart.ts';

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
