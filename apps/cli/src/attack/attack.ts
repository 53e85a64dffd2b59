/** `funnel examine` looks at a classifier; `funnel attack` examines it and attacks it, image by image. */
import type { ClassifierModel } from '@funnel/attacks';
import { type AttackSpec, DatasetName, type Examination } from '@funnel/contracts';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { dataFoldersOf } from '../env.ts';
import { Exit, exitCodes } from '../exit.ts';
import { formatDuration } from '../output/format.ts';
import { checkOut, replaceFile } from '../output/out-file.ts';
import { type Output, present } from '../output/terminal.ts';
import { collect, readWhole } from '../values.ts';
import { missingFor, readAttacks, readIndices, readSetting } from './arguments.ts';
import { checkIndices, type Images, readImages } from './images.ts';
import { type ModelFlags, readModel, withModelOptions } from './model.ts';
import {
  describeAttacks,
  describeExamination,
  describeFinding,
  describeResults,
  listAttacks,
  type Result,
  resultOf,
} from './report.ts';

const backends = ['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

type ModelOptions = ModelFlags & {
  readonly dataset?: DatasetName;
  readonly split: 'train' | 'test';
  readonly indices: string;
  readonly seed: number;
  readonly backend: (typeof backends)[number];
};

type AttackOptions = ModelOptions & {
  readonly attack?: readonly string[];
  readonly set?: Readonly<Record<string, unknown>>;
  readonly out?: string;
  readonly force?: boolean;
  readonly list?: boolean;
};

const required = <T>(value: T | undefined, flag: string): T => {
  if (value === undefined) throw new Exit(exitCodes.usage, `error: required option '${flag}' not specified`);
  return value;
};

type Subject = {
  readonly source: string;
  readonly dataset: DatasetName;
  readonly indices: readonly number[];
  readonly backend: string;
  readonly model: ClassifierModel;
  readonly given: Images;
};

/** Opens the backend, and reads the model and the images. */
const readSubject = async (options: ModelOptions, context: Context): Promise<Subject> => {
  const source = required(options.model, '--model PATH');
  const dataset = required(options.dataset, '--dataset NAME');
  const indices = readIndices(options.indices);
  checkIndices(dataset, options.split, indices);
  const { openBackend } = await import('@funnel/engine');
  const { name: backend } = await openBackend(options.backend);
  const model = await readModel(source, dataset, options, context);
  const given = await readImages(dataset, options.split, indices, model.bounds, dataFoldersOf(context.env));
  return { source, dataset, indices, backend, model, given };
};

const examineSubject = async ({ model, given }: Subject, seed: number): Promise<Examination> => {
  const { examineClassifier } = await import('@funnel/attacks');
  return examineClassifier({ model, ...given, seed });
};

const examine = async (options: ModelOptions, context: Context): Promise<void> => {
  const subject = await readSubject(options, context);
  const examination = await examineSubject(subject, options.seed);
  const { source, dataset } = subject;
  present(context.output, { model: source, dataset, split: options.split, ...examination }, () =>
    describeExamination(examination),
  );
  if (examination.status !== 'ok')
    throw new Exit(examination.status === 'marked' ? exitCodes.marked : exitCodes.unfit);
};

/** On a terminal, one line that changes in place: the running attack, the number of finished images, and the time left. */
const createProgress = (output: Output, what: string) => {
  const started = performance.now();
  return ({ done, total }: { readonly done: number; readonly total: number }): void => {
    const elapsed = performance.now() - started;
    if (output.columns() === null || elapsed < 2000 || done === 0) return;
    const left = formatDuration(((elapsed / done) * (total - done)) / 1000);
    output.draw(done < total ? [`${what}: ${done} of ${total} images · ${left} left`] : []);
  };
};

type LeftOut = { readonly attack: string; readonly reason: string };

const gradientReasons = {
  wrong: 'the gradients of the model are wrong',
  missing: 'the model has no gradients',
} as const;

/**
 * The attacks whose results can be trusted after the examination, and the others with the reason. Throws Exit if the examination refuses
 * the model.
 */
const selectAttacks = async (
  examination: Examination,
  specs: readonly AttackSpec[],
  { output, force }: { readonly output: Output; readonly force: boolean },
): Promise<{ readonly run: readonly AttackSpec[]; readonly leftOut: readonly LeftOut[] }> => {
  for (const finding of examination.findings)
    if (finding.status !== 'ok') output.note(describeFinding(finding));
  if (force) return { run: specs, leftOut: [] };
  if (examination.status === 'refused')
    throw new Exit(
      exitCodes.unfit,
      'No attack ran. Change the options as the findings say, or give --force.',
    );
  const { splitByGradients } = await import('@funnel/attacks');
  const { run, leftOut } = splitByGradients(examination, specs);
  const { gradients } = examination;
  const reason = gradients === 'right' ? '' : gradientReasons[gradients];
  return { run, leftOut: leftOut.map(({ attack }) => ({ attack, reason })) };
};

const runAttacks = async (options: AttackOptions, context: Context): Promise<void> => {
  const { output, signal } = context;
  const names = required(options.attack, '--attack NAME');
  const dataset = required(options.dataset, '--dataset NAME');
  const read = readAttacks(names, options.set ?? {}, dataset);
  if (options.out) checkOut(options.out);
  const subject = await readSubject(options, context);
  const examination = await examineSubject(subject, options.seed);
  const { run, leftOut } = await selectAttacks(examination, read.specs, {
    output,
    force: options.force ?? false,
  });
  const results: Result[] = [];
  const failed: LeftOut[] = [];
  const missing = read.leftOut.map((attack) => ({ attack, reason: `it needs ${missingFor(attack)}` }));
  const document = () => ({
    model: subject.source,
    dataset,
    split: options.split,
    seed: options.seed,
    backend: subject.backend,
    examination,
    leftOut: [...missing, ...leftOut, ...failed],
    ...(results.length === 1 && run.length === 1 ? results[0] : { evaluations: results }),
  });
  const { evaluateAttack } = await import('@funnel/attacks');
  for (const spec of run) {
    const started = performance.now();
    if (signal.aborted) {
      failed.push({ attack: spec.attack, reason: 'interrupted' });
      continue;
    }
    try {
      const evaluation = await evaluateAttack({
        model: subject.model,
        ...subject.given,
        indices: subject.indices,
        attack: spec,
        seed: options.seed,
        signal,
        onProgress: createProgress(output, spec.attack),
      });
      results.push(resultOf(evaluation));
      output.note(
        `${spec.attack}: ${formatDuration((performance.now() - started) / 1000)} on ${subject.backend}`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
      failed.push({ attack: spec.attack, reason: signal.aborted ? 'interrupted' : reason });
    }
    if (options.out) replaceFile(options.out, `${JSON.stringify(document(), null, 1)}\n`);
  }
  const final = document();
  if (options.out) replaceFile(options.out, `${JSON.stringify(final, null, 1)}\n`);
  for (const { attack, reason } of final.leftOut) output.note(`${attack}: left out, because ${reason}`);
  if (results.some(({ summary }) => summary.attempted === 0))
    output.note(
      'No image was attacked, because the model classifies none of them correctly. So there is no success rate.',
    );
  present(output, final, () => describeResults(results));
  if (signal.aborted) throw new Exit(exitCodes.interrupted);
  if (failed.length > 0) throw new Exit(exitCodes.failed);
};

const withImageOptions = (command: Command): Command =>
  withModelOptions(command)
    .addOption(new Option('--dataset <name>', 'the data set of the images').choices(DatasetName.options))
    .addOption(
      new Option('--split <split>', 'the part of the data set').choices(['test', 'train']).default('test'),
    )
    .option('--indices <indices>', 'a range such as 0-99, or a file with a JSON array', '0-99')
    .option('--seed <number>', 'seed of all random numbers', readWhole(0), 0)
    .addOption(
      new Option('--backend <name>', 'the backend of the computation').choices(backends).default('auto'),
    );

export const attackCommands = (program: Command, context: () => Context): void => {
  withImageOptions(
    program
      .command('examine')
      .description(
        'say whether attacks on a TensorFlow.js classifier can be trusted: outputs, pixels, gradients',
      ),
  )
    .addHelpText('after', '\nExample:\n  npx funnel examine --model ./model --dataset mnist')
    .action(async (options: ModelOptions) => examine(options, context()));
  withImageOptions(
    program.command('attack').description('attack any TensorFlow.js classifier, image by image'),
  )
    .option('--attack <name>', 'an attack or preset:NAME; may be repeated', collect)
    .option(
      '--set <name=value>',
      'a setting, such as steps=50 or epsilon=8/255; may be repeated',
      readSetting,
    )
    .option('--out <file>', 'write summaries and one row per image as JSON, after each attack')
    .option('--force', 'attack the model although its examination refuses it')
    .option('--list', 'print every attack and preset with its settings')
    .addHelpText(
      'after',
      '\nExample:\n  npx funnel attack --model ./model --dataset mnist --indices 0-99 --attack deepfool-l2 --set steps=50 --out rows.json',
    )
    .action(async (options: AttackOptions) => {
      const given = context();
      if (options.list) return present(given.output, listAttacks(), describeAttacks);
      await runAttacks(options, given);
    });
};
