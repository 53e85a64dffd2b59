/** `funnel reference`, `hyperparameters`, `attacks`: what every name in a sweep file and in a result means. Needs no running service. */
import {
  didYouMean,
  type HyperparameterName,
  hyperparameterNames,
  hyperparametersOf,
  type RecipeName,
  recipeNames,
} from '@funnel/contracts';
import {
  type Entry,
  type ReferenceTopic,
  reference,
  referencePage,
  referenceTopics,
  type Topic,
} from '@funnel/contracts/reference';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { formatTable } from '../output/format.ts';
import { checkOut, replaceFile, wroteText } from '../output/out-file.ts';
import { type Output, present } from '../output/terminal.ts';
import { displayWidth, wrapToWidth } from '../output/width.ts';

/** One line per entry. The last column is cut where the terminal ends. */
const listText = (entries: readonly Entry[], width: number | null): string => {
  const titles = entries[0]?.fields.filter(({ isListed }) => isListed).map(({ title }) => title) ?? [];
  const columns = titles.map((title) => ({
    title,
    value: ({ fields }: Entry) => fields.find((field) => field.title === title)!.lines.join(', '),
  }));
  return formatTable([{ title: 'name', value: ({ name }: Entry) => name }, ...columns], entries, width);
};

/** Every field of an entry, with its title in a column of its own. */
const entryText = ({ name, fields }: Entry, width: number | null): string => {
  const titleWidth = Math.max(...fields.map(({ title }) => displayWidth(title))) + 4;
  const indent = ' '.repeat(titleWidth);
  const lines = fields.flatMap((field) =>
    field.lines.map((line, i) => {
      const start = i === 0 ? `  ${field.title}`.padEnd(titleWidth) : indent;
      // The title has its own column, so the text wraps in the rest of the line.
      const [first = '', ...more] = wrapToWidth(line, width && width - titleWidth).split('\n');
      return [`${start}${first}`, ...more.map((each) => `${indent}${each}`)].join('\n');
    }),
  );
  return [name, ...lines].join('\n');
};

const entriesNamed = (topic: ReferenceTopic, entries: readonly Entry[], wanted: string): readonly Entry[] => {
  const found = entries.filter(({ name, alias }) =>
    [name, alias, name.replace(/^preset:/, '')].includes(wanted),
  );
  if (found.length > 0) return found;
  const question = didYouMean(wanted, [...new Set(entries.map(({ name }) => name))]);
  throw new Exit(
    exitCodes.usage,
    `Expected one of the ${topic}, but got ${JSON.stringify(wanted)}${question ? `: ${question}` : ''}\n→ \`npx funnel reference ${topic}\` lists them.`,
  );
};

const presentList = (output: Output, { about }: Topic, entries: readonly Entry[], more: string): void =>
  present(
    output,
    entries.map(({ row }) => row),
    () =>
      [
        wrapToWidth(about, output.resultColumns(), ''),
        '',
        listText(entries, output.resultColumns()),
        '',
        wrapToWidth(more, output.resultColumns(), ''),
      ].join('\n'),
  );

const presentEntries = (output: Output, entries: readonly Entry[]): void =>
  present(output, entries.length === 1 ? entries[0]!.row : entries.map(({ row }) => row), () =>
    entries.map((entry) => entryText(entry, output.resultColumns())).join('\n\n'),
  );

/** Other words for a topic. */
const topicWords: Readonly<Record<string, ReferenceTopic>> = {
  verdict: 'statuses',
  status: 'statuses',
  'data-set': 'datasets',
  'data-sets': 'datasets',
};

/** Reads a topic: its name, without its last letters too, or another word for it. Throws in the words of Commander's own choices. */
const readTopic = (text: string): ReferenceTopic => {
  const word = text.toLowerCase();
  const topic = referenceTopics.find((name) => name === word || name === `${word}s`);
  const found = topic ?? topicWords[word] ?? topicWords[word.replace(/s$/, '')];
  if (found === undefined)
    throw new InvalidArgumentError(`Allowed choices are ${referenceTopics.join(', ')}.`);
  return found;
};

const showTopic = (output: Output, topic: ReferenceTopic, name?: string): void => {
  const shown: Topic = reference[topic];
  const more = `\`npx funnel reference ${topic} NAME\` shows everything about one of them.`;
  if (name === undefined) presentList(output, shown, shown.entries(), more);
  else presentEntries(output, entriesNamed(topic, shown.entries(), name));
};

const showTopics = (output: Output): void => {
  const topics = referenceTopics.map((topic) => ({
    topic,
    title: reference[topic].title,
    about: reference[topic].about.replace(/\.( .*)?$/s, ''),
    names: reference[topic].entries().map(({ name }) => name),
  }));
  present(output, topics, () =>
    [
      formatTable(
        [
          { title: 'topic', value: ({ topic }) => topic },
          { title: 'names', value: ({ names }) => String(names.length), align: 'right' },
          { title: 'about', value: ({ about }) => about },
        ],
        topics,
        output.resultColumns(),
      ),
      '',
      wrapToWidth(
        '`npx funnel reference metrics` shows one topic, `npx funnel reference metrics robustAccuracy` one name; `--html FILE` writes all of them as a page.',
        output.resultColumns(),
        '',
      ),
    ].join('\n'),
  );
};

/** The hyperparameters that a recipe reads. */
const showHyperparametersOf = (output: Output, recipe: RecipeName): void => {
  const read = hyperparametersOf(recipe);
  const entries = reference.hyperparameters
    .entries()
    .filter((entry) => read.includes(entry.name as HyperparameterName));
  const { description } = reference.recipes.entries().find((entry) => entry.name === recipe)!.row;
  presentList(
    output,
    { ...reference.hyperparameters, about: `The recipe ${recipe} reads these. ${String(description)}` },
    entries,
    '`npx funnel hyperparameters gamma` shows everything about one of them.',
  );
};

/** `funnel attacks`, and `funnel attack --list`. */
export const listAttacks = (output: Output): void => {
  const [attacks, presets] = [reference.attacks.entries(), reference.presets.entries()];
  const rows = { attacks: attacks.map(({ row }) => row), presets: presets.map(({ row }) => row) };
  present(output, rows, () =>
    [
      ...[attacks, presets].flatMap((entries) => [listText(entries, output.resultColumns()), '']),
      'Queries: the most that one image takes, of a preset over all of its attacks.',
      wrapToWidth(
        '`npx funnel attacks NAME` shows the settings and the paper of an attack, or the attacks of a preset.',
        output.resultColumns(),
        '',
      ),
    ].join('\n'),
  );
};

const showAttack = (output: Output, name: string): void =>
  presentEntries(
    output,
    entriesNamed('attacks', [...reference.attacks.entries(), ...reference.presets.entries()], name),
  );

type ReferenceOptions = { readonly html?: string };

const writePage = (output: Output, file: string): void => {
  const made = checkOut(file, '--html');
  replaceFile(file, referencePage(reference));
  present(output, { file, ...(made !== null && { madeFolder: made }) }, () => wroteText(file, [made]));
};

export const referenceCommands = (program: Command, context: () => Context): void => {
  program
    .command('reference')
    .description('say what every name in a sweep file or in a result means')
    .addArgument(new Argument('[topic]').choices(referenceTopics).argParser(readTopic))
    .argument('[name]', 'one name of the topic')
    .option('--html <file>', 'write all topics as one page')
    .addHelpText('after', '\nExamples:\n  npx funnel reference metrics\n  npx funnel reference checks H10')
    .action((topic: ReferenceTopic | undefined, name: string | undefined, { html }: ReferenceOptions) => {
      const { output } = context();
      if (html !== undefined) return writePage(output, html);
      return topic === undefined ? showTopics(output) : showTopic(output, topic, name);
    });
  program
    .command('hyperparameters')
    .description('list the hyperparameters with default, range, unit and meaning')
    .addArgument(
      new Argument('[recipe]', 'a recipe, or one hyperparameter').choices([
        ...recipeNames,
        ...hyperparameterNames,
      ]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npx funnel hyperparameters classic\n  npx funnel hyperparameters gamma',
    )
    .action((name: string | undefined) => {
      const { output } = context();
      const recipe = recipeNames.find((each) => each === name);
      if (recipe === undefined) showTopic(output, 'hyperparameters', name);
      else showHyperparametersOf(output, recipe);
    });
  program
    .command('attacks')
    .description('list the attacks and presets, or show one with its settings, cost and paper')
    .argument('[name]', 'an attack or preset:NAME')
    .addHelpText('after', '\nExamples:\n  npx funnel attacks pgd-linf\n  npx funnel attacks preset:quick')
    .action((name: string | undefined) =>
      name === undefined ? listAttacks(context().output) : showAttack(context().output, name),
    );
};
