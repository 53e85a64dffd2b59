import { dirname, join } from 'node:path';
import type { Client } from '@funnel/client';
import { plural } from '@funnel/contracts';
import { type Report, renderFindings, renderTable2, type SweepResults, writeResults } from '@funnel/paper';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { checkOut, isOrdinary, replaceFile, wroteText } from '../output/out-file.ts';
import { type Output, present } from '../output/terminal.ts';
import { readSweepResults } from '../sweep-results.ts';
import { sweepWords } from '../values.ts';

/** Writes the report and the figures beside it, or prints the report: its figures need a file. */
const deliver = (
  { text, figures }: Report,
  data: unknown,
  { out, output }: { readonly out: string | undefined; readonly output: Output },
): void => {
  if (out !== undefined) {
    const files = isOrdinary(out)
      ? figures.map(({ file, svg }) => ({ path: join(dirname(out), file), svg }))
      : [];
    const made = [out, ...files.map(({ path }) => path)].map((path) => checkOut(path));
    for (const { path, svg } of files) replaceFile(path, svg);
    replaceFile(out, text);
    output.note(wroteText([out, ...files.map(({ path }) => path)].join(', '), made));
  }
  if (output.json || out === undefined) present(output, data, () => text.trimEnd());
};

type SaveOptions = { readonly sweep: string; readonly out: string };

/** Keeps the results of a sweep in a file: the database may be gone, or elsewhere, when the report is written. */
const saveResults = async ({ sweep, out }: SaveOptions, { client, output }: Context): Promise<void> => {
  if (!out.endsWith('.json'))
    throw new Exit(
      exitCodes.usage,
      `Expected a file that ends in .json after --out, so that a report knows it for a file, but got ${out}`,
    );
  const made = checkOut(out);
  const results = await readSweepResults(client, sweep);
  const text = writeResults(results);
  replaceFile(out, text);
  const trials = results.results.length;
  output.note(wroteText(`${plural(trials, 'trial')} of ${results.sweep.name} to ${out}`, [made]));
  if (output.json) output.write(JSON.stringify({ file: out, sweep: results.sweep.id, trials }, null, 2));
};

type FindingsOptions = {
  readonly reproduction?: readonly string[];
  readonly fullSize?: readonly string[];
  readonly beyond?: readonly string[];
  readonly baselines?: readonly string[];
  readonly out?: string;
};

const readSweeps = async (
  client: () => Client,
  names: readonly string[] = [],
): Promise<readonly SweepResults[]> => {
  const sweeps: SweepResults[] = [];
  for (const name of names) sweeps.push(await readSweepResults(client, name));
  return sweeps;
};

type Shared = 'dataset' | 'attacks';

/** Throws Exit if the sweeps of one option differ in what they must share: their numbers cannot stand in one table. */
const refuseMixture = (
  sweeps: readonly SweepResults[],
  option: string,
  shared: readonly Shared[] = ['dataset', 'attacks'],
): void => {
  const of = ({ sweep }: SweepResults, key: Shared) => JSON.stringify(sweep.definition[key]);
  for (const key of shared)
    for (const one of sweeps)
      if (of(one, key) !== of(sweeps[0]!, key))
        throw new Exit(
          exitCodes.usage,
          `Expected sweeps with the same \`${key}\` after ${option}, but ${sweeps[0]!.sweep.id} and ${one.sweep.id} differ in it`,
        );
};

/** Throws Exit if two sweeps have the same trial: its images would count twice. */
const refuseRepetition = (sweeps: readonly SweepResults[], option: string): void => {
  const first = new Map<string, string>();
  for (const { results } of sweeps)
    for (const { trial } of results) {
      const key = JSON.stringify([trial.recipe, trial.hyperparameters, trial.seed]);
      const earlier = first.get(key);
      if (earlier !== undefined)
        throw new Exit(
          exitCodes.usage,
          `Expected each trial once after ${option}, but ${earlier} and ${trial.id} are the same: ${trial.recipe}, seed ${trial.seed}, with the same hyperparameters`,
        );
      first.set(key, trial.id);
    }
};

type Table2Options = { readonly sweep: readonly [string, ...string[]]; readonly out?: string };

const reportTable2 = async (
  { sweep: names, out }: Table2Options,
  { client, output }: Context,
): Promise<void> => {
  if (out !== undefined) checkOut(out);
  const [first, ...others] = names;
  const sweeps = [await readSweepResults(client, first), ...(await readSweeps(client, others))] as const;
  // Each row is one attack, and a configuration without it has no value there.
  refuseMixture(sweeps, '--sweep', ['dataset']);
  refuseRepetition(sweeps, '--sweep');
  deliver(renderTable2(sweeps), sweeps, { out, output });
};

/** Throws Exit if no trial of FUNN has completed: then no setting has a nearness. */
const refuseWithoutFunn = (sweeps: readonly SweepResults[], option: string): void => {
  const found = sweeps.some(({ results }) =>
    results.some(({ trial }) => trial.recipe === 'funn' && trial.status === 'completed'),
  );
  if (sweeps.length > 0 && !found)
    throw new Exit(
      exitCodes.usage,
      `Expected a sweep with completed trials of funn after ${option}, but got ${sweeps.map(({ sweep }) => sweep.name).join(', ')}`,
    );
};

const reportFindings = async (
  { out, ...options }: FindingsOptions,
  { client, output }: Context,
): Promise<void> => {
  for (const [part, whole] of [
    ['fullSize', 'reproduction'],
    ['baselines', 'beyond'],
  ] as const)
    if (options[part] && !options[whole])
      throw new Exit(
        exitCodes.usage,
        `Expected --${whole} beside --${part === 'fullSize' ? 'full-size' : part}, which stands beside its numbers`,
      );
  if (!options.reproduction && !options.beyond)
    throw new Exit(
      exitCodes.usage,
      'Expected a sweep after --reproduction or --beyond, but got neither: `npx funnel ls` lists sweeps',
    );
  if (out !== undefined) checkOut(out);
  const sweeps = {
    reproduction: await readSweeps(client, options.reproduction),
    fullSize: await readSweeps(client, options.fullSize),
    beyond: await readSweeps(client, options.beyond),
    baselines: await readSweeps(client, options.baselines),
  };
  refuseMixture(sweeps.reproduction, '--reproduction');
  refuseMixture(sweeps.fullSize, '--full-size');
  refuseWithoutFunn(sweeps.reproduction, '--reproduction');
  refuseWithoutFunn(sweeps.fullSize, '--full-size');
  refuseMixture([...sweeps.beyond, ...sweeps.baselines], '--beyond and --baselines');
  const { report, data } = renderFindings(sweeps);
  deliver(report, data, { out, output });
};

/** How a user names a sweep for a report. */
const reportWords = `${sweepWords}; or a file of \`report save\`, which ends in .json`;

export const reportCommand = (program: Command, context: () => Context): void => {
  const report = program
    .command('report')
    .description('write a report on the paper from sweeps, as Markdown');
  const outText =
    'the file for the report; figures go into img/ beside it (default: stdout, without figures)';
  report
    .command('save')
    .description(
      'keep what the reports read of a sweep in a file, which a report takes in place of the sweep',
    )
    .requiredOption('--sweep <id or name>', sweepWords)
    .requiredOption('--out <file>', 'the file, which ends in .json')
    .exitOverride()
    .action((options: SaveOptions) => saveResults(options, context()));
  report
    .command('table2')
    .description('compare the sweep’s numbers with Table 2 of the paper')
    .requiredOption(
      '--sweep <sweeps...>',
      `sweeps such as examples/table2.yaml, with different seeds for example; each as ${reportWords}`,
    )
    .option('--out <file>', outText)
    .exitOverride()
    .action((options: Table2Options) => reportTable2(options, context()));
  report
    .command('findings')
    .description(
      'say which settings come nearest to Table 2, which choice moves which row, and what beats the paper',
    )
    .option('--reproduction <sweeps...>', `sweeps such as examples/reproduction.yaml, each as ${reportWords}`)
    .option('--full-size <sweeps...>', 'sweeps of the nearest settings at the full size')
    .option('--beyond <sweeps...>', 'sweeps such as examples/beyond.yaml')
    .option('--baselines <sweeps...>', 'sweeps such as examples/baselines.yaml, on the same data and attacks')
    .option('--out <file>', outText)
    .exitOverride()
    .action((options: FindingsOptions) => reportFindings(options, context()));
};
