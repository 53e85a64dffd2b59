/** A model with the images that `funnel attack` and `funnel examine` show it, and the options that name both. */
import type { ClassifierModel } from '@funnel/attacks';
import { backendChoices, type Examination } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { dataFoldersOf } from '../env.ts';
import { Exit, exitCodes } from '../exit.ts';
import type { Output } from '../output/terminal.ts';
import { readWhole } from '../values.ts';
import { type ImageOptions, type ImageSource, type Images, openImages } from './images.ts';
import { type ModelFlags, readModel, withModelOptions } from './model.ts';
import type { NamedDataset } from './named-dataset.ts';

export type SubjectOptions = ModelFlags &
  ImageOptions & {
    readonly seed: number;
    readonly backend: (typeof backendChoices)[number];
  };

/** Adds the options that name a model and images. */
export const withSubjectOptions = (command: Command): Command =>
  withModelOptions(command)
    .option('--dataset <name>', 'the data set of the images: a built-in one, or one that the service has')
    .addOption(
      new Option('--split <split>', 'the part of the data set').choices(['test', 'train']).default('test'),
    )
    .option('--images <path>', 'your own images: X.npy, or a folder that has a folder of PNG files per class')
    .option('--labels <file>', 'the labels of X.npy: Y.npy with a whole number per image')
    .option(
      '--indices <indices>',
      'a range such as 0-99, or a file with a JSON array (default: the first 100)',
    )
    .option('--seed <number>', 'seed of all random numbers', readWhole(0), 0)
    .addOption(
      new Option('--backend <name>', 'the backend of the computation')
        .choices(backendChoices)
        .default('auto'),
    );

/** The value of an option that a command needs. Throws Exit without it. */
export const required = <T>(value: T | undefined, flag: string): T => {
  if (value === undefined) throw new Exit(exitCodes.usage, `error: required option '${flag}' not specified`);
  return value;
};

export type Subject = {
  /** Where the model lies. */
  readonly model: string;
  readonly source: ImageSource;
  readonly backend: string;
  readonly classifier: ClassifierModel;
  /** In the model's bounds. */
  readonly given: Images;
};

/** Values in [0, 1] on the scale of the model's pixels. */
const toBounds = (values: Float32Array, [low, high]: readonly [number, number]): Float32Array =>
  low === 0 && high === 1 ? values : values.map((value) => low + value * (high - low));

/** On a terminal, a line that says what happens, until it has happened. */
const whileDrawing = async <Result>(
  output: Output,
  line: string,
  run: () => Promise<Result>,
): Promise<Result> => {
  if (output.columns() === null) return run();
  output.draw([line]);
  try {
    return await run();
  } finally {
    output.draw([]);
  }
};

/** Opens the backend, and reads the model and the images. Throws Exit if they cannot be read or do not fit together. */
export const readSubject = (
  options: SubjectOptions,
  named: NamedDataset | undefined,
  context: Context,
): Promise<Subject> => {
  const model = required(options.model, '--model PATH');
  return whileDrawing(context.output, 'reading the model and the images …', () =>
    read(model, { options, named }, context),
  );
};

type Asked = { readonly options: SubjectOptions; readonly named: NamedDataset | undefined };

const read = async (model: string, { options, named }: Asked, context: Context): Promise<Subject> => {
  const source = await openImages(options, { folders: dataFoldersOf(context.env), named });
  const { openBackend } = await import('@funnel/engine');
  const { name: backend } = await openBackend(options.backend);
  const classifier = await readModel(model, source.shapes, options, context);
  const { images, labels } = await source.read(classifier.shape);
  return {
    model,
    source,
    backend,
    classifier,
    given: { images: toBounds(images, classifier.bounds), labels },
  };
};

export const examineSubject = (
  { classifier, given }: Subject,
  seed: number,
  output: Output,
): Promise<Examination> =>
  whileDrawing(output, 'examining the model …', async () => {
    const { examineClassifier } = await import('@funnel/attacks');
    return examineClassifier({ model: classifier, ...given, seed });
  });
