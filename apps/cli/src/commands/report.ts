import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Client } from '@funnel/client';
import { renderTable2, type Table2, type TrialResult } from '@funnel/table2';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { present } from '../output/terminal.ts';
import { allPages } from '../requests.ts';

/** A sweep with every trial's evaluations, checks and training curves. */
const readTable2 = async (client: Client, id: string): Promise<Table2> => {
  const sweep = await client.getSweep({ params: { id } });
  const trials = await allPages((query) => client.listTrials({ params: { id }, query }));
  const results: TrialResult[] = [];
  for (const { id: trial } of trials) {
    const params = { id: trial };
    const [detail, { series }] = await Promise.all([
      client.getTrial({ params }),
      client.getMetrics({ params }),
    ]);
    results.push({ trial: detail, series });
  }
  return { sweep, results };
};

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
