/** `funnel examine` looks at a classifier; `funnel attack` examines it and attacks it, image by image. */
import type { AttackSpec } from '@funnel/contracts';
import type { Command } from 'commander';
import { listAttacks } from '../commands/reference.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { checkOut, replaceFile, wroteText } from '../output/out-file.ts';
import { type Output, present } from '../output/terminal.ts';
import { wrapToWidth } from '../output/width.ts';
import { collect } from '../values.ts';
import { checkAdversarials, withAdversarials } from './adversarials.ts';
import { areEnsemble, epsilonNotes, missingFor, namesPreset, readAttacks, readSetting } from './arguments.ts';
import { runChecks } from './checks.ts';
import { describeExamination, describeFinding } from './examination.ts';
import { findNamedDataset, type NamedDataset } from './named-dataset.ts';
import { type AttackReport, asDocument, describeReport, notesOf } from './report.ts';
import type { Outcome } from './results.ts';
import { runAttacks } from './run.ts';
import { gradientFault, selectAttacks } from './select.ts';
import {
  examineSubject,
  readSubject,
  required,
  type Subject,
  type SubjectOptions,
  withSubjectOptions,
} from './subject.ts';

type AttackOptions = SubjectOptions & {
  readonly attack?: readonly string[];
  readonly set?: Readonly<Record<string, unknown>>;
  readonly out?: string;
  readonly adversarials?: string;
  readonly diagnose?: boolean;
  readonly force?: boolean;
  readonly list?: boolean;
};

/** The data set that the options name, if they name one. */
const namedIn = async ({ dataset }: SubjectOptions, context: Context): Promise<NamedDataset | undefined> =>
  dataset === undefined ? undefined : findNamedDataset(dataset, context);

const examine = async (options: SubjectOptions, context: Context): Promise<void> => {
  const named = await namedIn(options, context);
  const subject = await readSubject(options, named, context);
  const examination = await examineSubject(subject, options.seed, context.output);
  context.signal.throwIfAborted();
  present(context.output, { model: subject.model, ...subject.source.description, ...examination }, () =>
    describeExamination(examination, context.output.resultColumns()),
  );
  if (examination.status !== 'ok')
    throw new Exit(examination.status === 'marked' ? exitCodes.marked : exitCodes.unfit);
};

/** Says, before the work, what the options leave open. */
const noteDefaults = (
  options: AttackOptions,
  attacks: readonly AttackSpec[],
  { source }: Subject,
  output: Output,
): void => {
  const { budgets, count, indices, description } = source;
  if (budgets === undefined && options.indices === undefined && indices.length < count)
    output.note(`The first ${indices.length} of ${count} images are attacked: --indices chooses others.`);
  const usual = budgets && { budgets, dataset: `${description.dataset}` };
  const isGiven = options.set?.epsilon !== undefined;
  for (const note of epsilonNotes(attacks, { usual, isGiven }))
    output.note(`${note}. --set epsilon=8/255 names another ε.`);
};

const attack = async (options: AttackOptions, context: Context): Promise<void> => {
  const { output, signal } = context;
  const { out, adversarials, seed, force = false } = options;
  const names = required(options.attack, '--attack NAME');
  const named = await namedIn(options, context);
  const asked = readAttacks(names, options.set ?? {}, named?.budgets);
  const isSingle = asked.specs.length + asked.leftOut.length === 1;
  const made = [
    out === undefined ? null : checkOut(out),
    checkAdversarials(adversarials, [out, options.images, options.labels]),
  ];
  const subject = await readSubject(options, named, context);
  noteDefaults(options, asked.specs, subject, output);
  const examination = await examineSubject(subject, seed, output);
  for (const finding of examination.findings)
    if (finding.status !== 'ok') output.note(wrapToWidth(describeFinding(finding), output.columns()));
  const { run, leftOut } = await selectAttacks(examination, asked.specs, force);
  const missing = asked.leftOut.map((name) => ({ attack: name, reason: `it needs ${missingFor(name)}` }));
  const standing = run.length > 1 && areEnsemble(names);

  const reportOf = (outcome: Outcome): AttackReport => ({
    model: subject.model,
    ...subject.source.description,
    seed,
    backend: subject.backend,
    ...(standing && { standing }),
    ...(adversarials !== undefined && { adversarials }),
    examination,
    leftOut: [...missing, ...leftOut, ...outcome.leftOut],
    evaluations: outcome.results,
    ...(outcome.worstCase && { worstCase: outcome.worstCase }),
  });
  const keep = (report: AttackReport): void => {
    if (out !== undefined) replaceFile(out, `${JSON.stringify(asDocument(report, isSingle), null, 1)}\n`);
  };

  const outcome = await withAdversarials(adversarials, subject.classifier, (append) =>
    runAttacks(subject, { attacks: run, standing, seed, force, output, signal, append }, (soFar) => {
      try {
        keep(reportOf(soFar));
      } catch (error) {
        output.note(`${(error as Error).message}. The attacks go on.`);
      }
    }),
  );
  const fault = force ? null : gradientFault(examination);
  const wantsChecks = options.diagnose ?? namesPreset(names);
  const checks = wantsChecks ? await runChecks(subject, run, { seed, output, signal, fault }) : {};
  const report = { ...reportOf(outcome), ...checks };
  for (const note of notesOf(report)) output.note(wrapToWidth(note, output.columns()));
  present(output, asDocument(report, isSingle), () => describeReport(report, output.resultColumns()));
  keep(report); // Last, so that a full disk does not hide the result.
  const files = [out, adversarials].filter((file) => file !== undefined);
  if (files.length > 0) output.note(wroteText(files.join(' and '), made));
  if (signal.aborted) throw new Exit(exitCodes.interrupted);
  if (outcome.leftOut.length > 0) throw new Exit(exitCodes.failed);
  if (outcome.results.length === 0) throw new Exit(exitCodes.leftOut);
};

/** Throws Exit for words without an option, such as the second one of `--attack fgsm pgd-linf`. */
const refuseWords = (words: readonly string[]): void => {
  if (words.length === 0) return;
  const options = words.map((word) => `${word.includes('=') ? '--set' : '--attack'} ${word}`).join(' ');
  throw new Exit(
    exitCodes.usage,
    `Expected an option before each value, but got ${words.join(', ')} without one.\n→ Repeat the option: ${options}`,
  );
};

export const attackCommands = (program: Command, context: () => Context): void => {
  withSubjectOptions(
    program
      .command('examine')
      .description(
        'say whether attacks on a TensorFlow.js classifier can be trusted: outputs, pixels, gradients',
      ),
  )
    .addHelpText('after', '\nExample:\n  npx funnel examine --model ./model --dataset mnist')
    .action(async (options: SubjectOptions) => examine(options, context()));
  withSubjectOptions(
    program.command('attack').description('attack any TensorFlow.js classifier, image by image'),
  )
    .option('--attack <name>', 'an attack or preset:NAME; may be repeated', collect)
    .option(
      '--set <name=value>',
      'a setting for every attack that has it, such as steps=50 or epsilon=8/255; may be repeated',
      readSetting,
    )
    .option('--out <file>', 'write summaries and one row per image as JSON, after each attack')
    .option('--adversarials <file>', 'write the images that fooled the model as NPY, float32 in [0, 1]')
    .option('--diagnose', 'check whether the results can be believed (default for presets)')
    .option('--no-diagnose', 'leave these checks out')
    .option('--force', 'attack the model although its examination refuses it')
    .option('--list', 'list every attack and preset (`npx funnel attacks NAME` shows one)')
    .addHelpText(
      'after',
      `
Examples:
  npx funnel attack --model ./model --dataset mnist --attack deepfool-l2 --set steps=50 --out rows.json
  npx funnel attack --model ./model --dataset mnist --attack preset:autoattack --set epsilon=0.1
  npx funnel attack --model ./model --images X.npy --labels Y.npy --attack fgsm --adversarials fooled.npy`,
    )
    .allowExcessArguments()
    .action(async (options: AttackOptions, { args }: Command) => {
      refuseWords(args);
      const given = context();
      if (options.list) return listAttacks(given.output);
      await attack(options, given);
    });
};
