import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { formatCount } from '../output/format.ts';
import { describeLeaderboard } from '../output/leaderboard.ts';
import { describePlan } from '../output/plan.ts';
import { countsText, describeSweep } from '../output/sweeps.ts';
import { present } from '../output/terminal.ts';
import { readTroubles } from '../requests.ts';
import { type Change, readChange, readSweepFile } from '../sweep-file.ts';
import { readLeaderboard, watchSweep } from '../watch.ts';

type Options = { readonly watch?: boolean; readonly key?: string; readonly set?: readonly Change[] };

const withChanges = (command: Command): Command =>
  command.option(
    '--set <path=value>',
    'write over the file, such as dataset.train=3000 or seeds=2; may be given again',
    readChange,
  );

/** Watches a sweep to its end and prints its leaderboard. Throws Exit with `incomplete` unless every trial completed. */
const watchToEnd = async (context: Context, sweepId: string): Promise<void> => {
  const { output } = context;
  const client = context.client();
  const sweep = await watchSweep(client, sweepId, output, context.signal).catch((error: unknown) => {
    if (context.signal.aborted)
      output.note(`The sweep goes on. Watch it again: \`npx funnel watch ${sweepId}\``);
    throw error;
  });
  const { attack, rows } = await readLeaderboard(client, sweep);
  present(output, { sweep, leaderboard: rows }, () => describeLeaderboard(rows, { attack }));
  const trials = Object.values(sweep.trials).reduce((sum, count) => sum + count, 0);
  if (sweep.status === 'completed' && sweep.trials.completed === trials) return;
  const troubles = await readTroubles(client, sweep);
  throw new Exit(
    exitCodes.incomplete,
    [`Not every trial completed: ${countsText(sweep.trials)}.`, ...troubles].join('\n'),
  );
};

const submit = async (file: string, { watch, key, set }: Options, context: Context): Promise<void> => {
  const { output } = context;
  const body = readSweepFile(file, set);
  const sweep = await context
    .client()
    .createSweep({ body, ...(key ? { headers: { 'idempotency-key': key } } : {}) });
  if (!watch) {
    present(output, sweep, describeSweep);
    return output.note(`Watch it: \`npx funnel watch ${sweep.id}\``);
  }
  output.note(
    `Sweep ${sweep.id} submitted: ${formatCount(sweep.plan.trials, 'trial')}, ${formatCount(sweep.plan.epochs.needed, 'epoch')}.`,
  );
  await watchToEnd(context, sweep.id);
};

export const submitCommands = (program: Command, context: () => Context): void => {
  withChanges(program.command('submit').description('submit a sweep from a JSON or YAML file (- is stdin)'))
    .argument('<file>', 'the sweep, such as examples/quickstart.yaml')
    .option('-w, --watch', 'show its progress until it has ended, then the leaderboard')
    .option('--key <key>', 'Idempotency-Key: the same key gives the same sweep')
    .action((file: string, options: Options) => submit(file, options, context()));
  program
    .command('watch')
    .description('show the progress of a sweep until it has ended')
    .argument('<sweep>')
    .action((id: string) => watchToEnd(context(), id));
  withChanges(
    program
      .command('plan')
      .description('what a sweep would do: trials, stages, epochs with and without sharing'),
  )
    .argument('<file>', 'the sweep (- is stdin)')
    .action(async (file: string, { set }: Options) => {
      const { client, output } = context();
      present(output, await client().planSweep({ body: readSweepFile(file, set) }), describePlan);
    });
};
