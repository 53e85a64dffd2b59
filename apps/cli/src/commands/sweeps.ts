import { SweepStatus } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { describeSweep, describeSweeps } from '../output/sweeps.ts';
import { present } from '../output/terminal.ts';
import { allPages, firstFound, readTroubles } from '../requests.ts';
import { readWhole } from '../values.ts';

type SweepListOptions = { readonly status?: SweepStatus; readonly search?: string; readonly limit: number };

const listSweeps = async (
  { limit, ...query }: SweepListOptions,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  present(
    output,
    await allPages((page) => api.listSweeps({ query: { ...query, ...page } }), limit),
    describeSweeps,
  );
};

const show = async (id: string, { client, output }: Context): Promise<void> => {
  const api = client();
  const showSweep = async (): Promise<void> => {
    const sweep = await api.getSweep({ params: { id } });
    const troubles = output.json ? [] : await readTroubles(api, sweep);
    present(output, sweep, () => [describeSweep(sweep), ...troubles].join('\n'));
  };
  const showTrial = async (): Promise<void> => {
    const trial = await api.getTrial({ params: { id } });
    const { describeTrial } = await import('../output/trials.ts');
    present(output, trial, describeTrial);
  };
  await firstFound(id, { sweep: showSweep, trial: showTrial });
};

const actions = {
  pause: ['pauseSweep', 'stop a sweep after a checkpoint; nothing new starts'],
  resume: ['resumeSweep', 'go on with a paused sweep'],
  cancel: ['cancelSweep', 'stop what only this sweep needs; finished results stay'],
  retry: ['retrySweep', 'give the failed stages of a sweep new attempts'],
} as const;

export const sweepCommands = (program: Command, context: () => Context): void => {
  program
    .command('ls')
    .description('sweeps, newest first')
    .addOption(new Option('--status <status>').choices(SweepStatus.options))
    .option('--search <text>', 'in the name')
    .option('--limit <number>', 'at most so many', readWhole(1), 50)
    .action((options: SweepListOptions) => listSweeps(options, context()));
  program
    .command('show')
    .description('one sweep, or one trial with its stages and evaluations')
    .argument('<id>')
    .action((id: string) => show(id, context()));
  for (const [name, [method, description]] of Object.entries(actions))
    program
      .command(name)
      .description(description)
      .argument('<sweep>')
      .action(async (id: string) => {
        const { client, output } = context();
        present(output, await client()[method]({ params: { id } }), (sweep) => describeSweeps([sweep]));
      });
  program
    .command('delete')
    .description('delete a sweep that has ended, with its trials')
    .argument('<sweep>')
    .action(async (id: string) => {
      const { client, output } = context();
      await client().deleteSweep({ params: { id } });
      present(output, { deleted: id }, () => `Sweep ${id} is deleted.`);
    });
};
