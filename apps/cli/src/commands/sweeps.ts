import type { Client } from '@funnel/client';
import {
  endedStatuses,
  plural,
  type Stage,
  StoredSweepStatus,
  type Sweep,
  type SweepStatus,
  statusText,
  type TrialDetail,
  TrialStatus,
} from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { describeNextStep, describeSweep, describeSweeps } from '../output/sweeps.ts';
import { present } from '../output/terminal.ts';
import type { StageLog } from '../output/trials.ts';
import {
  findDecision,
  findSweep,
  findSweepOrTrial,
  findTrial,
  firstItems,
  firstOnly,
  readTroubles,
} from '../requests.ts';
import { readTag, readWhole, sweepWords, trialWords } from '../values.ts';

/** Loaded only when needed: this module loads every declaration of attacks and hyperparameters, and `funnel ls` uses none of them. */
const loadTrialWords = () => import('../output/trials.ts');
const loadTrialPage = () => import('../output/trial.ts');
const loadSearchWords = () => import('../output/search.ts');

/** The best so far, or the front, of a sweep whose search decides one configuration after the other; nothing for another sweep. */
const readSearchLines = async (client: Client, { id, search }: Sweep): Promise<readonly string[]> => {
  if (!search) return [];
  const { describeSearch } = await loadSearchWords();
  return describeSearch(await client.getSearch({ params: { id } }));
};

type ShowOptions = { readonly why?: boolean };

/** Why a search made the trial; nothing for a trial of another sweep. */
const readDecisionLines = async (
  client: Client,
  { sweepId, decision: number }: TrialDetail,
): Promise<readonly string[]> => {
  const decision = number === undefined ? null : await findDecision(client, sweepId, number);
  if (!decision) return [];
  const { describeDecision } = await loadSearchWords();
  return [describeDecision(decision)];
};

type SweepListOptions = {
  readonly status?: StoredSweepStatus;
  readonly search?: string;
  readonly tag?: string[];
  readonly limit: number;
};

const listSweeps = async (
  { limit, ...query }: SweepListOptions,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const ask = (page: { limit: number; cursor?: string }) => api.listSweeps({ query: { ...query, ...page } });
  const { items, isComplete } = await firstItems(ask, limit);
  const isFiltered = Object.values(query).some((value) => value !== undefined);
  present(output, items, (sweeps) =>
    sweeps.length === 0 && isFiltered
      ? 'No sweep matches: `npx funnel ls` lists all.'
      : describeSweeps(sweeps, output.resultColumns()),
  );
  if (!isComplete) output.note(firstOnly(items.length, 'sweep', '--limit shows more.'));
};

const show = async (
  word: string,
  { why = false }: ShowOptions,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const { kind, id } = await findSweepOrTrial(api, word);
  if (why && kind === 'sweep')
    throw new Exit(
      exitCodes.usage,
      `--why says the reasons of the verdict of a trial, but ${word} is a sweep.\n→ \`npx funnel trials ${id}\` lists its trials; \`npx funnel show ${id}-0 --why\` takes the first.`,
    );
  const showSweep = async (): Promise<void> => {
    const sweep = await api.getSweep({ params: { id } });
    const [search, troubles] = output.json
      ? [[], []]
      : await Promise.all([readSearchLines(api, sweep), readTroubles(api, sweep)]);
    present(output, sweep, () => [describeSweep(sweep), ...search, ...troubles].join('\n'));
  };
  const showTrial = async (): Promise<void> => {
    const trial = await api.getTrial({ params: { id } });
    if (output.json) return present(output, trial, () => '');
    const [{ describeTrial, sweptIn }, { definition }, decision] = await Promise.all([
      loadTrialPage(),
      api.getSweep({ params: { id: trial.sweepId } }),
      readDecisionLines(api, trial),
    ]);
    const options = { swept: sweptIn(definition.space), width: output.resultColumns(), why };
    output.write([describeTrial(trial, options), ...decision].join('\n'));
  };
  await (kind === 'sweep' ? showSweep() : showTrial());
};

type TrialListOptions = { readonly status?: TrialStatus; readonly limit: number };

const listTrials = async (
  idOrName: string,
  { status, limit }: TrialListOptions,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const id = await findSweep(api, idOrName);
  const { definition } = await api.getSweep({ params: { id } });
  const { describeTrials, rankingDistance } = await loadTrialWords();
  const intervals = rankingDistance(definition);
  const ask = (page: { limit: number; cursor?: string }) =>
    api.listTrials({ params: { id }, query: { status, intervals, ...page } });
  const { items, isComplete } = await firstItems(ask, limit);
  present(output, items, (trials) => describeTrials(trials, definition, output.resultColumns()));
  if (!isComplete) {
    const all = `\`npx funnel export trials --sweep ${id}\` has all.`;
    output.note(firstOnly(items.length, 'trial', `--limit shows more; ${all}`));
  }
};

const stageId = /^[0-9a-f]{64}$/;

/** The stages of a trial, or the one stage with this id. */
const stagesOf = async (word: string, { client }: Context): Promise<readonly Stage[]> => {
  const api = client();
  if (!stageId.test(word)) return (await api.getTrial({ params: { id: await findTrial(api, word) } })).stages;
  return [await api.getStage({ params: { id: word } })];
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
  const { describeLogs } = await loadTrialWords();
  present(context.output, logs, describeLogs);
};

const isOver: readonly SweepStatus[] = [...endedStatuses, 'cancelled'];

/** Says which sweep would be deleted, and deletes it with `yes`. */
const deleteSweep = async (idOrName: string, yes: boolean, { client, output }: Context): Promise<void> => {
  const api = client();
  const sweep = await api.getSweep({ params: { id: await findSweep(api, idOrName) } });
  const { id, name, status } = sweep;
  const trials = Object.values(sweep.trials).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  if (yes) await api.deleteSweep({ params: { id } });
  const what = `${name} (${id}), ${statusText(status)}, ${plural(trials, 'trial')}`;
  const next = isOver.includes(status)
    ? 'Nothing was deleted: add --yes to delete.'
    : `Nothing was deleted: only a sweep that has ended can be deleted.\n→ \`npx funnel cancel ${id}\` ends it.`;
  present(output, { id, name, status, trials, deleted: yes }, () =>
    yes
      ? `Sweep ${id} is deleted: ${name}, ${plural(trials, 'trial')}.`
      : `Would delete ${what}, and the stages that no other sweep needs. ${next}`,
  );
};

const actions = {
  pause: ['pauseSweep', 'stop the running stages of a sweep at their next checkpoint, and start no others'],
  resume: ['resumeSweep', 'continue a paused sweep'],
  cancel: ['cancelSweep', 'stop the stages that only this sweep needs; finished results stay'],
  retry: ['retrySweep', 'give the failed stages of a sweep new attempts'],
} as const;

export const sweepCommands = (program: Command, context: () => Context): void => {
  program
    .command('ls')
    .description('list sweeps, newest first')
    .addOption(new Option('--status <status>').choices(StoredSweepStatus.options))
    .option('--search <text>', 'only sweeps whose name contains this text, or whose id begins with it')
    .option('--tag <tag>', 'only sweeps with this tag; repeated: with all of these tags', readTag)
    .option('--limit <number>', 'the largest number of rows', readWhole(1), 50)
    .action((options: SweepListOptions) => listSweeps(options, context()));
  program
    .command('show')
    .description('show one sweep, or one trial with its stages and evaluations')
    .argument('<id>', `a sweep (${sweepWords}), or a trial (${trialWords})`)
    .option('--why', 'of a trial: the whole reasons of its verdict')
    .action((id: string, options: ShowOptions) => show(id, options, context()));
  for (const [name, [method, description]] of Object.entries(actions))
    program
      .command(name)
      .description(description)
      .argument('<sweep>', sweepWords)
      .action(async (idOrName: string) => {
        const { client, output } = context();
        const id = await findSweep(client(), idOrName);
        present(output, await client()[method]({ params: { id } }), (sweep) =>
          [describeSweeps([sweep], output.resultColumns()), ...describeNextStep(sweep)].join('\n'),
        );
      });
  program
    .command('delete')
    .description('delete a sweep that has ended, with its trials; without --yes, only say which')
    .argument('<sweep>', sweepWords)
    .option('--yes', 'delete the sweep')
    .action((id: string, { yes = false }: { readonly yes?: boolean }) => deleteSweep(id, yes, context()));
  program
    .command('trials')
    .description('list the trials of a sweep with their statuses')
    .argument('<sweep>', sweepWords)
    .addOption(new Option('--status <status>').choices(TrialStatus.options))
    .option('--limit <number>', 'the largest number of rows', readWhole(1), 50)
    .action((id: string, options: TrialListOptions) => listTrials(id, options, context()));
  program
    .command('log')
    .description('show the log of a trial’s stages: attempts, workers, epochs, errors')
    .argument('<id>', `a trial (${trialWords}), or the id of a stage`)
    .action((id: string) => showLog(id, context()));
};
