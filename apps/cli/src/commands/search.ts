import type { SearchPoint } from '@funnel/contracts';
import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { formatCsv } from '../export/formats.ts';
import { decisionRows, describeDecisions } from '../output/search.ts';
import { describeNextStep, describeSweeps } from '../output/sweeps.ts';
import { present, writeResult } from '../output/terminal.ts';
import { findSweep, firstItems, firstOnly } from '../requests.ts';
import { readChange } from '../sweep-file.ts';
import { readWhole, sweepWords } from '../values.ts';

type DecisionsOptions = { readonly csv?: boolean; readonly limit: number };

const listDecisions = async (
  idOrName: string,
  { csv, limit }: DecisionsOptions,
  { client, output }: Context,
): Promise<void> => {
  if (csv && output.json) throw new Exit(exitCodes.usage, 'Expected either --csv or --json, but got both.');
  const api = client();
  const params = { id: await findSweep(api, idOrName) };
  const [search, { items: decisions, isComplete }] = await Promise.all([
    api.getSearch({ params }),
    firstItems((page) => api.listDecisions({ params, query: page }), limit),
  ]);
  if (csv) writeResult(process.stdout, formatCsv(decisionRows(search, decisions)));
  else
    present(output, { search, decisions }, () =>
      describeDecisions(search, decisions, output.resultColumns()),
    );
  if (!isComplete) output.note(firstOnly(decisions.length, 'decision', '--limit shows more.'));
};

const extend = async (
  idOrName: string,
  { trials }: { readonly trials: number },
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const params = { id: await findSweep(api, idOrName) };
  present(output, await api.extendSearch({ params, body: { trials } }), (sweep) =>
    [describeSweeps([sweep], output.resultColumns()), ...describeNextStep(sweep)].join('\n'),
  );
};

/** Reads `gamma=5` as `--set` of a sweep file reads it, and adds it to the earlier values. */
const readValue = (text: string, earlier: SearchPoint = {}): SearchPoint => {
  const [{ path, value }] = readChange(text) as [ReturnType<typeof readChange>[number]];
  if (path.length > 1 || !['number', 'string', 'boolean'].includes(typeof value))
    throw new InvalidArgumentError(`Expected HYPERPARAMETER=VALUE, such as gamma=5, but got ${text}`);
  return { ...earlier, [path[0]!]: value as SearchPoint[string] };
};

const tryPoint = async (
  idOrName: string,
  { set: point }: { readonly set: SearchPoint },
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const params = { id: await findSweep(api, idOrName) };
  present(output, await api.tryPoint({ params, body: { point } }), (state) =>
    state.waitingPoints.length === 0
      ? `The search has taken the point. \`npx funnel decisions ${params.id}\` shows its decision.`
      : `Points that the next proposals take: ${state.waitingPoints.length}.`,
  );
};

export const searchCommands = (program: Command, context: () => Context): void => {
  program
    .command('decisions')
    .description('list the decisions of a search: point, rung, outcome, and why')
    .argument('<sweep>', sweepWords)
    .option('--csv', 'as CSV, with all digits')
    .option('--limit <number>', 'the largest number of rows', readWhole(1), 10_000)
    .action((id: string, options: DecisionsOptions) => listDecisions(id, options, context()));
  program
    .command('extend')
    .description('give a search more configurations; one that has ended goes on')
    .argument('<sweep>', sweepWords)
    .requiredOption('--trials <number>', 'the number of configurations to add', readWhole(1))
    .action((id: string, options: { trials: number }) => extend(id, options, context()));
  program
    .command('try')
    .description('give a running search a point; its next proposal takes it')
    .argument('<sweep>', sweepWords)
    .requiredOption(
      '--set <hyperparameter=value>',
      'a value of the point, such as gamma=5; once for each hyperparameter that varies',
      readValue,
    )
    .action((id: string, options: { set: SearchPoint }) => tryPoint(id, options, context()));
};
