/** The conditions of a sweep: sizes, epochs, seeds, cost, and every hyperparameter that the paper does not print or prints with another value. */
import {
  datasetTitle,
  formatBytes,
  type HyperparameterName,
  Hyperparameters,
  type HyperparameterValue,
  hyperparameterDeclaration,
  plural,
} from '@funnel/contracts';
import { hyperparameterNamesOf, titleOf, valuesOf } from './choices.ts';
import { duration, list, percent, table } from './format.ts';
import { groupBy } from './group.ts';
import type { Configuration } from './measured.ts';
import type { SweepResults } from './results.ts';

export const paperSizes = { train: 60_000, test: 10_000, attack: 1000 } as const;
const printedHyperparameters: Readonly<Record<string, HyperparameterValue>> = Hyperparameters.parse({});

const encoderEpochs = ({ epochs }: Configuration): number =>
  (epochs.initialise ?? 0) + (epochs.optimise ?? 0);

/** The recipes of Table 2 that train an auto-encoder for a classifier on its code. */
const encoders = (configurations: readonly Configuration[]): readonly Configuration[] =>
  configurations.filter(({ recipe }) => recipe === 'classic' || recipe === 'funn');

const paperSeen =
  paperSizes.train *
  (Number(printedHyperparameters.initialiseEpochs) + Number(printedHyperparameters.optimiseEpochs));

/** The training of the least trained configuration as a share of the paper's: training images × epochs. */
export const shareOfTraining = ({ sweep }: SweepResults, configurations: readonly Configuration[]): number =>
  Math.min(...encoders(configurations).map((one) => sweep.definition.dataset.train * encoderEpochs(one))) /
  paperSeen;

const updates = (train: number, batch: number, epochs: number): number => Math.ceil(train / batch) * epochs;

const shareOfUpdates = ({ sweep }: SweepResults, configurations: readonly Configuration[]): number =>
  Math.min(
    ...encoders(configurations).map((one) =>
      updates(sweep.definition.dataset.train, Number(one.hyperparameters.batchSize), encoderEpochs(one)),
    ),
  ) / updates(paperSizes.train, Number(printedHyperparameters.batchSize), paperSeen / paperSizes.train);

type Submitted = {
  readonly name?: string;
  readonly recipes?: readonly string[];
  readonly dataset: Readonly<Record<string, string | number>>;
  readonly space: object;
  readonly search?: object;
  readonly seeds: readonly number[];
  readonly attacks: object;
  readonly objective?: object | undefined;
};

/** The command that submits a file with these values in place of its own. `space` as a whole: it drops the file's other hyperparameters. */
export const submitCommand = (
  file: string,
  { name, recipes, dataset, space, search, seeds, attacks, objective }: Submitted,
): string => {
  const flags = [
    ...(name === undefined ? [] : [`name=${name}`]),
    ...(recipes === undefined ? [] : [`recipes=${JSON.stringify(recipes)}`]),
    ...Object.entries(dataset).map(([key, value]) => `dataset.${key}=${value}`),
    `space=${JSON.stringify(space)}`,
    ...(search === undefined ? [] : [`search=${JSON.stringify(search)}`]),
    `seeds=${JSON.stringify(seeds)}`,
    `attacks=${JSON.stringify(attacks)}`,
    ...(objective === undefined ? [] : [`objective=${JSON.stringify(objective)}`]),
  ];
  return [`npx funnel submit ${file}`, ...flags.map((flag) => `  --set '${flag}'`)].join(' \\\n');
};

/** The command that submits this sweep. */
const command = ({ sweep: { definition } }: SweepResults, file: string): string => {
  const { recipes, dataset, space, search, seeds, attacks, objective } = definition;
  const { content: _, ...sizes } = dataset;
  return submitCommand(file, {
    recipes,
    dataset: sizes,
    space,
    seeds,
    attacks,
    objective,
    ...(search.strategy !== 'grid' && { search }),
  });
};

const wallText = ({ sweep: { createdAt, finishedAt } }: SweepResults): string => {
  if (finishedAt === null) return 'not finished';
  const seconds = (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000;
  return seconds > 0
    ? `${duration(seconds)} from submission to end, with all pauses`
    : 'with all results there when it was submitted';
};

/** What was run and what it cost, and the command to repeat it. `file`: the example that the sweep belongs to. */
export const ran = (data: SweepResults, file: string): string => {
  const { sweep, results } = data;
  const stagesOf = (trials: typeof results) =>
    // Trials share stages.
    new Map(trials.flatMap(({ trial }) => trial.stages.map((stage) => [stage.id, stage] as const)));
  const total = (trials: typeof results, of: 'seconds' | 'epochs'): number =>
    [...stagesOf(trials).values()].reduce((sum, stage) => sum + (stage[of] ?? 0), 0);
  // Stages of other trials may lie ahead.
  const completed = results.filter(({ trial }) => trial.status === 'completed');
  const stored = sweep.plan.estimate?.storedBytes;
  const elsewhere = Math.max(0, total(completed, 'epochs') - sweep.epochsTrained);
  const epochsText = `${plural(sweep.epochsTrained + elsewhere, 'epoch')} trained${elsewhere === 0 ? '' : ` (${elsewhere} of them by other sweeps with equal stages)`}`;
  const trialsText =
    completed.length === results.length
      ? plural(results.length, 'trial')
      : `${completed.length} of ${plural(results.length, 'trial')} completed`;
  const seeds = `${sweep.definition.seeds.length === 1 ? 'seed' : 'seeds'} ${list(sweep.definition.seeds.map(String))}`;
  return [
    `Sweep “${sweep.name}” (${sweep.id}) of ${sweep.createdAt.slice(0, 10)} on ${datasetTitle(sweep.definition.dataset.name)}, ${seeds}: ${trialsText}, ${epochsText}, ${duration(total(results, 'seconds'))} of trainers’ time, ${wallText(data)}${stored === undefined ? '' : `, about ${formatBytes(stored)} stored (the estimate of its plan)`}.`,
    '',
    '```sh',
    command(data, file),
    '```',
  ].join('\n');
};

const hyperparameterRows = (configurations: readonly Configuration[]): (readonly string[])[] =>
  hyperparameterNamesOf(configurations).flatMap((name) => {
    const values = [...valuesOf(name, configurations).keys()];
    const { assumed } = hyperparameterDeclaration(name as HyperparameterName); // Trials have declared hyperparameters only.
    const printed = assumed ? 'not printed' : String(printedHyperparameters[name]);
    if (!assumed && values.length === 1 && values[0] === printed) return [];
    return [[titleOf(name), values.join(', '), printed]];
  });

const epochsText = ({ epochs }: Configuration): string =>
  Object.entries(epochs)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(' + ');

/** Each number of epochs once, with the configurations that it belongs to. */
const epochs = (configurations: readonly Configuration[]): string => {
  const groups = [...groupBy(configurations, epochsText)];
  if (groups.length === 1) return groups[0]![0];
  return groups
    .map(([text, group]) => `${group.map(({ name }) => `\`${name}\``).join(', ')} ${text}`)
    .join('; ');
};

const shares = (data: SweepResults, configurations: readonly Configuration[]): string =>
  `The auto-encoders saw ${percent(shareOfTraining(data, configurations))} of the paper’s images (images × epochs), in ${percent(shareOfUpdates(data, configurations))} of its updates. These are the smallest shares of the configurations of FUNN and of the classic auto-encoder.`;

/** Sizes and hyperparameters beside the paper's, and the shares of its training. */
export const besidePaper = (data: SweepResults, configurations: readonly Configuration[]): string => {
  const { dataset } = data.sweep.definition;
  const size = (key: keyof typeof paperSizes) => [
    `${key === 'attack' ? 'Attacked: correctly classified images among the first' : `${key === 'train' ? 'Training' : 'Test'} images`}`,
    String(dataset[key]),
    String(paperSizes[key]),
  ];
  return [
    `Epochs: ${epochs(configurations)}.`,
    ...(encoders(configurations).length > 0 ? [shares(data, configurations)] : []),
    '',
    table(
      ['', 'here', 'paper'],
      [size('train'), size('test'), size('attack'), ...hyperparameterRows(configurations)],
      [1, 2],
    ),
    '',
    'Hyperparameters that are not in this table have the printed values. Where the paper’s value is “not printed”, ours is an assumption: the paper gives neither the sizes of its networks nor the scale of its loss, and its penalty has the wrong sign for constraint (5), which it must enforce ([docs/recipes.md](recipes.md)).',
  ].join('\n');
};
