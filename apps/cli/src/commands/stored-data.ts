/** `funnel data ls`, `show` and `rm`: the data sets that the service has. */
import { type DatasetDetail, type DatasetEntry, formatBytes } from '@funnel/contracts';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { formatCount, formatMinute, formatNumber, formatTable } from '../output/format.ts';
import { present } from '../output/terminal.ts';

const shapeText = ({ shape }: DatasetEntry): string => shape.join('×');

/** Where the images are. A stage of a sweep needs one of these places. */
const placeText = ({ isStored, bytes, workers, name, isBuiltIn }: DatasetEntry): string => {
  if (isStored) return `the service, ${formatBytes(bytes ?? 0)}`;
  if (workers > 0) return formatCount(workers, 'worker');
  return isBuiltIn ? `nowhere yet: \`npx funnel data get ${name}\` on the machine of a worker` : 'nowhere';
};

const describeEntries = (entries: readonly DatasetEntry[]): string =>
  formatTable<DatasetEntry>(
    [
      { title: 'name', value: ({ name }) => name },
      { title: 'image', value: shapeText },
      { title: 'classes', value: ({ classCount }) => String(classCount), align: 'right' },
      { title: 'train', value: ({ train }) => String(train), align: 'right' },
      { title: 'test', value: ({ test }) => String(test), align: 'right' },
      { title: 'where', value: placeText },
    ],
    entries,
  );

type ClassRow = { readonly name: string; readonly train: string; readonly test: string };

const describeDataset = (dataset: DatasetDetail): string => {
  const { name, title, digest, train, test, classes, summary, budgets, owner, createdAt } = dataset;
  const rows = classes.map((of, label): ClassRow => {
    const count = (counts: readonly number[] | undefined) => String(counts?.[label] ?? '–');
    return { name: of, train: count(summary?.trainCounts), test: count(summary?.testCounts) };
  });
  return [
    title === name ? name : `${name} (${title})`,
    `digest    ${digest}`,
    `images    ${train} training, ${test} test, each ${shapeText(dataset)}`,
    ...(summary
      ? [`pixels    mean ${formatNumber(summary.mean)}, deviation ${formatNumber(summary.deviation)}`]
      : []),
    `usual ε   ${formatNumber(budgets.linf)} (L∞), ${formatNumber(budgets.l2)} (L2)`,
    `where     ${placeText(dataset)}`,
    ...(owner !== null && createdAt !== null ? [`added     ${formatMinute(createdAt)} by ${owner}`] : []),
    formatTable<ClassRow>(
      [
        { title: 'class', value: (row) => row.name },
        { title: 'train', value: (row) => row.train, align: 'right' },
        { title: 'test', value: (row) => row.test, align: 'right' },
      ],
      rows,
    ),
  ].join('\n');
};

const remove = async (name: string, { client, output }: Context): Promise<void> => {
  await client().removeDataset({ params: { name } });
  present(output, { removed: name }, () => `${name} is removed. Sweeps that were submitted with it go on.`);
  output.note(
    'Its images stay while a kept trial needs them. Afterwards, and not within the next ten minutes, `npx funnel gc --yes` frees their space.',
  );
};

export const storedDataCommands = (data: Command, context: () => Context): void => {
  data
    .command('ls')
    .description('list the data sets that a sweep may name, and where their images are')
    .action(async () => {
      const { client, output } = context();
      const { items } = await client().listDatasets();
      present(output, items, describeEntries);
    });
  data
    .command('show')
    .description('show one data set: its images and classes')
    .argument('<name>', 'the name of a data set, or its digest')
    .action(async (name: string) => {
      const { client, output } = context();
      present(output, await client().getDataset({ params: { name } }), describeDataset);
    });
  data
    .command('rm')
    .description('remove the name of a data set; sweeps that were submitted with it go on')
    .argument('<name>', 'the name of a data set')
    .action((name: string) => remove(name, context()));
};
