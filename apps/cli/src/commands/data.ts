import { type DatasetName, datasetNames, datasets, formatAmount } from '@funnel/contracts';
import { Argument, type Command } from 'commander';
import type { Context } from '../context.ts';
import { dataFoldersOf } from '../env.ts';
import { formatTable, progressBar } from '../output/format.ts';
import { present } from '../output/terminal.ts';
import { addCommand } from './data-add.ts';
import { storedDataCommands } from './stored-data.ts';

type Found = {
  readonly name: DatasetName;
  readonly title: string;
  readonly train: number;
  readonly test: number;
  readonly folder: string | null;
  readonly generated: boolean;
};

const listDatasets = async ({ env, output }: Context): Promise<void> => {
  const { findDataset } = await import('@funnel/engine/datasets/load-dataset');
  const found = datasetNames.map((name): Found => {
    const { title, train, test, files } = datasets[name];
    const generated = files.length === 0;
    return {
      name,
      title,
      train,
      test,
      generated,
      folder: generated ? null : findDataset(name, dataFoldersOf(env)),
    };
  });
  present(output, found, (rows) =>
    formatTable<Found>(
      [
        { title: 'name', value: ({ name }) => name },
        { title: 'title', value: ({ title }) => title },
        { title: 'train', value: ({ train }) => formatAmount(train), align: 'right' },
        { title: 'test', value: ({ test }) => formatAmount(test), align: 'right' },
        {
          title: 'where',
          value: ({ folder, generated }) =>
            generated ? 'generated, needs no files' : (folder ?? 'missing: `npx funnel data get`'),
        },
      ],
      rows,
    ),
  );
};

/** The named data sets. Without names: every data set that consists of files. */
const orAll = (names: readonly DatasetName[]): readonly DatasetName[] =>
  names.length > 0 ? names : datasetNames.filter((name) => datasets[name].files.length > 0);

const getDatasets = async (
  names: readonly DatasetName[],
  { env, output, signal }: Context,
): Promise<void> => {
  const { getDataset } = await import('@funnel/engine/datasets/get-dataset');
  const results = [];
  for (const name of orAll(names)) {
    const folder = await getDataset(name, {
      ...dataFoldersOf(env),
      signal,
      onProgress: ({ file, received, total }) => {
        if (output.columns() !== null)
          output.draw([`${name}  ${progressBar(total ? received / total : 0, 24)}  ${file}`]);
      },
    });
    results.push({ name, folder });
    output.note(`${name}: ${folder ?? 'generated, nothing to download'}`);
  }
  if (output.json) output.write(JSON.stringify(results, null, 2));
};

const verifyDatasets = async (names: readonly DatasetName[], { env, output }: Context): Promise<void> => {
  const { verifyDataset } = await import('@funnel/engine/datasets/load-dataset');
  const results = [];
  for (const name of orAll(names))
    results.push({ name, folder: await verifyDataset(name, dataFoldersOf(env)) });
  present(output, results, (rows) =>
    rows.map(({ name, folder }) => `${name}: every file is correct (${folder ?? 'generated'})`).join('\n'),
  );
};

export const dataCommand = (program: Command, context: () => Context): void => {
  const data = program
    .command('data')
    .description('add, list, show and remove data sets; download or check those on this machine');
  const names = () =>
    new Argument('[names...]', 'data sets (default: all that consist of files)').choices(datasetNames);
  data
    .command('list')
    .description('list the built-in data sets with their folders on this machine')
    .action(() => listDatasets(context()));
  data
    .command('get')
    .description('download missing files, and check them')
    .addArgument(names())
    .action((given: DatasetName[]) => getDatasets(given, context()));
  data
    .command('verify')
    .description('read every file and compare its sha-256')
    .addArgument(names())
    .action((given: DatasetName[]) => verifyDatasets(given, context()));
  addCommand(data, context);
  storedDataCommands(data, context);
};
