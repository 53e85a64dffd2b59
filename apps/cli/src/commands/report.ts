import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { present } from '../output/output.ts';
import { readTable2 } from '../table2/read-table2.ts';
import { renderTable2 } from '../table2/render.ts';

type Options = { readonly sweep: string; readonly out?: string };

const reports = { table2: { read: readTable2, render: renderTable2 } } as const;

const report = async (
  name: keyof typeof reports,
  { sweep, out }: Options,
  { client, output }: Context,
): Promise<void> => {
  const { read, render } = reports[name];
  const data = await read(client(), sweep);
  if (data.results.every(({ trial }) => trial.status !== 'completed'))
    throw new Exit(
      exitCodes.incomplete,
      `Expected a sweep with completed trials, but none of ${sweep} is: funnel watch ${sweep}`,
    );
  const text = render(data);
  if (out !== undefined) {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, text);
    output.note(`Wrote ${out}.`);
  }
  if (output.json || out === undefined) present(output, data, () => text.trimEnd());
};

export const reportCommand = (program: Command, context: () => Context): void => {
  const command = program.command('report').description('a report of a sweep, as Markdown');
  for (const name of Object.keys(reports) as (keyof typeof reports)[]) // its own keys
    command
      .command(name)
      .description('the paper’s Table 2 beside the sweep’s numbers')
      .addOption(new Option('--sweep <id>', 'a sweep such as examples/table2.yaml').makeOptionMandatory())
      .option('--out <file>', 'where to write it; stdout unless said')
      .exitOverride()
      .action((options: Options) => report(name, options, context()));
};
