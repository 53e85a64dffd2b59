/** `funnel data add`: reads the files of the user in a process of its own, shows what they are, and stores them as a data set. */
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FunnelError } from '@funnel/client';
import {
  builtInOf,
  type DatasetDetail,
  type DatasetName,
  DatasetSlug,
  defaultLimits,
  escapeControls,
  formatAmount,
  formatBytes,
  plural,
} from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';
import { orders, type ReadDataset, type ReadOptions, resizeWays } from '@funnel/datasets';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { isAlive, makeHome } from '../home.ts';
import { formatNumber, formatTable, progressBar } from '../output/format.ts';
import { readLine, readWhole } from '../values.ts';

/** The options as Commander gives them. */
type Given = Omit<ReadOptions, 'channels' | 'size' | 'classes' | 'labels' | 'labelColumn' | 'imageColumn'> & {
  readonly size?: readonly [number, number];
  readonly grey?: true;
  readonly colour?: true;
  readonly classes?: readonly string[];
  readonly labels?: string;
  readonly labelColumn?: string;
  readonly imageColumn?: string;
  readonly dryRun?: true;
};

/** `32` or `32x48`: height and width. */
const readSize = (text: string): readonly [number, number] => {
  const [, height, width = height] = /^(\d{1,3})(?:x(\d{1,3}))?$/i.exec(text) ?? [];
  const size = [Number(height), Number(width)] as const;
  if (size.every((side) => side >= 1 && side <= 512)) return size;
  throw new InvalidArgumentError('Expected a height and a width from 1 to 512, such as 32 or 30x45.');
};

const readShare = (text: string): number => {
  const share = Number(text);
  if (text.trim() !== '' && share > 0 && share < 1) return share;
  throw new InvalidArgumentError('Expected a number between 0 and 1, such as 0.2.');
};

const readClasses = (text: string): readonly string[] => {
  const names = readLine(text)
    .split(',')
    .map((name) => name.trim());
  if (names.length >= 2 && names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError('Expected at least two names with commas between them, such as cat,dog.');
};

const readName = (text: string): string => {
  const { success, error, data } = DatasetSlug.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError(`${error.issues[0]!.message}.`);
};

const optionsOf = (given: Given): ReadOptions => {
  const { grey, colour, dryRun: _, ...rest } = given;
  if (grey && colour) throw new Exit(exitCodes.usage, 'Expected --grey or --colour, but got both');
  return {
    ...rest,
    size: given.size ?? null,
    channels: grey ? 1 : colour ? 3 : null,
    classes: given.classes ?? null,
    labels: given.labels ?? null,
    labelColumn: given.labelColumn ?? null,
    imageColumn: given.imageColumn ?? null,
  };
};

type Added = Omit<ReadDataset, 'sheet' | 'chunks' | 'file'> & {
  readonly name: string;
  readonly isAdded: boolean;
  /** The built-in data set that has the same images and labels. */
  readonly builtIn: DatasetName | null;
  /** A PNG file with samples. */
  readonly samples: string;
};

/** The classes that a terminal shows; more are in the result with `--json`. */
const shownClasses = 40;

const describe = ({
  name,
  format,
  content,
  bytes,
  digest,
  summary,
  notes,
  samples,
  builtIn,
}: Added): string => {
  const { shape, classes, train, test } = content;
  const [height, width, channels] = shape;
  const rows = classes.slice(0, shownClasses).map((title, i) => ({ title, i }));
  const more = classes.length - rows.length;
  return [
    `${name}: ${format}, ${height} × ${width} pixels${height === width ? '' : ' (height × width)'}, ${channels === 1 ? 'grey' : channels === 3 ? 'colour' : plural(channels, 'channel')}`,
    formatTable(
      [
        { title: 'class', value: ({ title }) => escapeControls(title) },
        { title: 'train', value: ({ i }) => formatAmount(summary.trainCounts[i]!), align: 'right' },
        { title: 'test', value: ({ i }) => formatAmount(summary.testCounts[i]!), align: 'right' },
      ],
      rows,
    ),
    ...(more > 0 ? [`and ${plural(more, 'more class', 'more classes')}`] : []),
    `${formatAmount(train)} training and ${formatAmount(test)} test images, ${formatBytes(bytes)}; of the training pixels, 0 to 1: mean ${formatNumber(summary.mean)}, deviation ${formatNumber(summary.deviation)}`,
    ...notes,
    ...(builtIn === null ? [] : [`These are the images of ${builtIn}: sweeps share its results.`]),
    `SHA-256 ${digest}`,
    `Samples, a row for each class: ${samples}`,
  ].join('\n');
};

/** The largest data set that the service takes. Throws if nobody answers, before time is spent on the files. */
const largestOf = async ({ client }: Context): Promise<number> => {
  const { items } = await client().listLimits();
  return items.find(({ name }) => name === 'datasetBytes')?.value ?? defaultLimits.datasetBytes;
};

/** The data set that has the name now; null if there is none, or if no service answers to a dry run. */
const findNamed = async (
  name: string,
  { client }: Context,
  isAdded: boolean,
): Promise<DatasetDetail | null> => {
  try {
    return await client().getDataset({ params: { name } });
  } catch (error) {
    if (!isAdded || (error instanceof FunnelError && error.code === 'NOT_FOUND')) return null;
    throw error;
  }
};

/** Throws Exit if the name stands for other images: nothing is written then, the sheet of samples included. */
const assertFree = (name: string, digest: string, named: DatasetDetail | null): void => {
  if (named !== null && named.digest !== digest)
    throw new Exit(
      exitCodes.refused,
      named.isBuiltIn
        ? `Expected a name that is free, but ${name} is built in, with other images.\n→ Take another name.`
        : `Expected a name that is free, but ${name} stands for the data set ${named.digest.slice(0, 12)}.\n→ Take another name, or remove this one first with \`npx funnel data rm ${name}\`.`,
    );
};

/** The last line: what has happened. */
const outcomeText = (name: string, isAdded: boolean, isKnown: boolean): string => {
  const use = `A sweep file names it: dataset: { name: ${name} }`;
  if (isKnown) return `The service has exactly this data set under this name already. ${use}`;
  return isAdded ? `Added. ${use}` : 'Nothing was added (--dry-run).';
};

/** Draws one line of progress on a terminal. */
const drawProgress = ({ output }: Context, name: string, share: number, text: string): void => {
  if (output.columns() !== null) output.draw([`${name}  ${progressBar(share, 24)}  ${text}`]);
};

/** Sends the canonical file, as far as the service does not have it. */
const upload = async (name: string, dataset: ReadDataset, context: Context): Promise<void> => {
  const { uploadDataset } = await import('@funnel/client');
  const { content, digest, chunks } = dataset;
  const file = await open(dataset.file);
  try {
    await uploadDataset(context.client(), {
      name,
      content,
      digest,
      chunks: [...chunks],
      read: async (from, to) => {
        const bytes = new Uint8Array(to - from);
        await file.read(bytes, 0, bytes.length, from);
        return bytes;
      },
      onProgress: ({ sent, bytes }) =>
        drawProgress(context, name, sent / bytes, `${formatBytes(sent)} of ${formatBytes(bytes)} sent`),
      signal: context.signal,
    });
  } finally {
    await file.close();
  }
};

/** Work folders in FUNNEL_HOME carry the id of their process, so that a later command can remove those of killed ones. */
const workFolder = /^adding-(\d+)-/;

const removeOldFolders = async (home: string): Promise<void> => {
  for (const name of await readdir(home)) {
    const [, pid] = workFolder.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(home, name), { recursive: true, force: true });
  }
};

const addDataset = async (name: string, path: string, given: Given, context: Context): Promise<void> => {
  const { env, output, signal } = context;
  const options = optionsOf(given);
  const isAdded = !given.dryRun;
  const maxBytes = isAdded ? await largestOf(context) : defaultLimits.datasetBytes;
  const { readInProcess } = await import('@funnel/datasets');
  const home = makeHome(env);
  await removeOldFolders(home);
  const folder = await mkdtemp(join(home, `adding-${process.pid}-`));
  try {
    const dataset = await readInProcess(
      { path, folder, maxBytes, options },
      {
        signal,
        onProgress: ({ step, done, of }) =>
          drawProgress(
            context,
            name,
            done / of,
            step === 'read'
              ? `${formatAmount(done)} of ${formatAmount(of)} images read`
              : `${formatBytes(done)} of ${formatBytes(of)} checked`,
          ),
      },
    );
    const named = await findNamed(name, context, isAdded);
    assertFree(name, dataset.digest, named);
    const samples = join(env.FUNNEL_HOME, 'samples', `${name}.png`);
    makeFolder(join(home, 'samples'));
    await writeFile(samples, dataset.sheet);
    const { sheet: _sheet, chunks: _chunks, file: _file, ...rest } = dataset;
    const added: Added = { name, ...rest, isAdded, builtIn: builtInOf(dataset.digest) ?? null, samples };
    if (!output.json) output.write(describe(added));
    if (isAdded) await upload(name, dataset, context);
    if (output.json) output.write(JSON.stringify(added, null, 2));
    else output.write(outcomeText(name, isAdded, named?.isStored === true));
  } catch (error) {
    if (signal.aborted && isAdded)
      output.note(`Interrupted. ${name} was not added; the same command goes on where this one stopped.`);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

export const addCommand = (data: Command, context: () => Context): void => {
  data
    .command('add')
    .description('add a data set of your own')
    .argument('<name>', 'the name that sweeps give to it', readName)
    .argument(
      '<path>',
      'a folder with a folder of pictures per class, IDX, NPZ, NPY or Parquet files, or CIFAR-10 batches',
    )
    .option('--size <pixels>', 'scale every image, to 32 or to 30x45 (height x width)', readSize)
    .addOption(
      new Option('--resize <way>', 'crop: cut off what does not fit; fit: add black bars')
        .choices(resizeWays)
        .default('crop'),
    )
    .option('--grey', 'make every image grey (default: as the first image)')
    .option('--colour', 'give every image three channels')
    .option(
      '--classes <names>',
      'classes in their order, with commas: of the labels 0, 1, …, or of the folders',
      readClasses,
    )
    .addOption(
      new Option(
        '--order <order>',
        'of the images of folders: shuffled by the seed, or by the names of the files',
      )
        .choices(orders)
        .default('shuffled'),
    )
    .option('--seed <number>', 'of the order, and of the choice of test images', readWhole(0), 0)
    .option(
      '--test-share <share>',
      'test images where the files do not say which ones they are',
      readShare,
      0.2,
    )
    .option('--labels <file>', 'an NPY file with the labels of an NPY file of images')
    .option('--label-column <name>', 'of Parquet files (default: found)', readLine)
    .option('--image-column <name>', 'of Parquet files (default: found)', readLine)
    .option('--dry-run', 'show what the files are, and add nothing')
    .action((name: string, path: string, options: Given) => addDataset(name, path, options, context()));
};
