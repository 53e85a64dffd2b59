import type { Client } from '@funnel/client';
import { renderTable2, type Table2, type TrialResult } from '@funnel/table2';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { checkOut, replaceFile } from '../output/out-file.ts';
import { present } from '../output/terminal.ts';
import { allItems, findSweep } from '../requests.ts';
import { sweepWords } from '../values.ts';

const readSweep = async (client: Client, idOrName: string): Promise<Table2> => {
  const id = await findSweep(client, idOrName);
  const sweep = await client.getSweep({ params: { id } });
  const trials = await allItems((query) => client.listTrials({ params: { id }, query }));
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

const reportTable2 = async ({ sweep, out }: Options, { client, output }: Context): Promise<void> => {
  if (out !== undefined) checkOut(out);
  const data = await readSweep(client(), sweep);
  if (data.results.every(({ trial }) => trial.status !== 'completed'))
    throw new Exit(
      exitCodes.incomplete,
      `Expected a sweep with completed trials, but ${sweep} has none: \`npx funnel watch ${sweep}\``,
    );
  const text = renderTable2(data);
  if (out !== undefined) {
    replaceFile(out, text);
    output.note(`Wrote ${out}.`);
  }
  if (output.json || out === undefined) present(output, data, () => text.trimEnd());
};

export const reportCommand = (program: Command, context: () => Context): void => {
  program
    .command('report')
    .description('write a report of a sweep, as Markdown')
    .command('table2')
    .description('compare the sweep’s numbers with Table 2 of the paper')
    .requiredOption('--sweep <id or name>', `a sweep such as examples/table2.yaml: ${sweepWords}`)
    .option('--out <file>', 'the file for the report (default: stdout)')
    .exitOverride()
    .action((options: Options) => reportTable2(options, context()));
};
