import { extname } from 'node:path';
import { plural } from '@funnel/contracts';
import { Argument, type Command, Option } from 'commander';
import { type LeaderboardOptions, readRanked, withFilters } from '../commands/leaderboard.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';

import { checkOut, replaceFile, wroteText } from '../output/out-file.ts';
import { createProgress } from '../output/progress.ts';
import { writeResult } from '../output/terminal.ts';
import { findSweep, firstOnly } from '../requests.ts';
import { hyperparameterColumns, leaderboardColumns } from './columns.ts';
import { type Format, fillTable, formatNames, formats, type Table } from './formats.ts';
import { tables, withTags } from './tables.ts';

type TableName = 'leaderboard' | keyof typeof tables;
type Options = LeaderboardOptions & { readonly format?: Format; readonly out?: string };

const tableNames: readonly TableName[] = [
  'leaderboard',
  'trials',
  'evaluations',
  'images',
  'metrics',
  'classes',
];
/** Options for every table. All other options are only for the leaderboard. */
const commonOptions = ['sweep', 'tag', 'format', 'out'];

/** `--format`, else the ending of the file, else JSON with `--json`, else CSV. Throws Exit for a file with another ending. */
const chooseFormat = ({ format, out = '' }: Options, json: boolean): Format => {
  const ending = extname(out).toLowerCase();
  const named = formatNames.find((name) => `.${name}` === ending);
  if (format === undefined && named === undefined && ending !== '')
    throw new Exit(
      exitCodes.usage,
      `Expected a file that ends in ${formatNames.map((name) => `.${name}`).join(', ')} after --out, but got ${out}: name the format with --format, or choose one of these endings`,
    );
  return format ?? named ?? (json ? 'json' : 'csv');
};

const readTable = async (name: TableName, options: Options, context: Context): Promise<Table> => {
  if (name !== 'leaderboard') {
    const client = context.client();
    const sweep = options.sweep && (await findSweep(client, options.sweep));
    const progress = createProgress(context.output, 'requests');
    try {
      return await tables[name](client, { sweep, tag: options.tag }, (at) => progress.draw(name, at));
    } finally {
      progress.end();
    }
  }
  const { format, out, ...query } = options;
  const { rows, isComplete } = await readRanked(query, context);
  if (!isComplete) context.output.note(firstOnly(rows.length, 'row', '--limit exports more.'));
  const tagged = await withTags(context.client(), rows, options.tag);
  return fillTable([...leaderboardColumns, ...hyperparameterColumns(tagged)], tagged);
};

/** Throws Exit when Parquet would be written to a terminal. */
const refuseTerminal = (format: Format, out: string | undefined): void => {
  if (format === 'parquet' && out === undefined && process.stdout.isTTY)
    throw new Exit(
      exitCodes.usage,
      'Parquet is not text: name a file with --out, or send the output to a program.',
    );
};

export const exportCommand = (program: Command, context: () => Context): void => {
  const command = withFilters(
    program
      .command('export')
      .description(
        'export the leaderboard, trials, evaluations, attacked images, training curves or accuracies per class as CSV, JSON or Parquet',
      )
      .addArgument(new Argument('[table]', 'the table to export').choices(tableNames).default('leaderboard')),
    100_000,
  )
    .addOption(
      new Option('--format <name>', 'format of the file (default: by the ending of --out, else csv)').choices(
        formatNames,
      ),
    )
    .option('--out <file>', 'write to this file (default: stdout)');
  command.action(async (name: TableName, options: Options) => {
    const leaderboardOptions = command.options
      .map((option) => option.attributeName())
      .filter((key) => command.getOptionValueSource(key) === 'cli' && !commonOptions.includes(key));
    if (name !== 'leaderboard' && leaderboardOptions.length > 0)
      throw new Exit(
        exitCodes.usage,
        `--${leaderboardOptions[0]} is only for the leaderboard, but the table is ${name}: leave out the option, or leave out "${name}"`,
      );
    const given = context();
    const format = chooseFormat(options, given.output.json);
    refuseTerminal(format, options.out);
    const made = options.out === undefined ? null : checkOut(options.out);
    const table = await readTable(name, options, given);
    const content = formats[format](table);
    if (options.out === undefined) writeResult(process.stdout, content);
    else {
      replaceFile(options.out, content);
      const written = {
        file: options.out,
        rows: table[0]?.cells.length ?? 0,
        columns: table.length,
        ...(made !== null && { madeFolder: made }),
      };
      const size = `${plural(written.rows, 'row')} of ${plural(written.columns, 'column')}`;
      given.output.note(wroteText(`${size} to ${written.file}`, [made]));
      if (given.output.json) given.output.write(JSON.stringify(written, null, 2));
    }
  });
};
