import { type Stage, TrialStatus } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { present } from '../output/terminal.ts';
import { describeLogs, describeTrials, type StageLog } from '../output/trials.ts';
import { allPages, firstFound } from '../requests.ts';
import { readWhole } from '../values.ts';

type TrialListOptions = { readonly status?: TrialStatus; readonly limit: number };

const listTrials = async (
  id: string,
  { status, limit }: TrialListOptions,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const ask = (page: { limit: number; cursor?: string }) =>
    api.listTrials({ params: { id }, query: { status, ...page } });
  const trials = await allPages(ask, limit);
  present(output, trials, describeTrials);
  if (trials.length === limit)
    output.note(
      `The first ${limit}: --limit shows more, \`npx funnel export trials --sweep ${id}\` has all.`,
    );
};

/** The stages of a trial, or the one stage with this id. */
const stagesOf = (id: string, { client }: Context): Promise<readonly Stage[]> => {
  const api = client();
  return firstFound<readonly Stage[]>(id, {
    trial: async () => (await api.getTrial({ params: { id } })).stages,
    stage: async () => [await api.getStage({ params: { id } })],
  });
};

const showLog = async (id: string, context: Context): Promise<void> => {
  const api = context.client();
  const stages = await stagesOf(id, context);
  const logs = await Promise.all(
    stages.map(async (stage): Promise<StageLog> => {
      const { items } = await api.getStageLog({ params: { id: stage.id } });
      return { stage, lines: items };
    }),
  );
  present(context.output, logs, describeLogs);
};

export const trialCommands = (program: Command, context: () => Context): void => {
  program
    .command('trials')
    .description('the trials of a sweep, and the state of each')
    .argument('<sweep>')
    .addOption(new Option('--status <status>').choices(TrialStatus.options))
    .option('--limit <number>', 'at most so many', readWhole(1), 50)
    .action((id: string, options: TrialListOptions) => listTrials(id, options, context()));
  program
    .command('log')
    .description('what happened to the stages of a trial: attempts, workers, epochs, errors')
    .argument('<id>', 'a trial, or one stage')
    .action((id: string) => showLog(id, context()));
};
