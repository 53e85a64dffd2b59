/** The conditions of the sweep: sizes, epochs, seeds, and every hyperparameter that the paper does not print or prints with another value. */
import {
  datasetTitle,
  type HyperparameterName,
  Hyperparameters,
  type HyperparameterValue,
  hyperparameterDeclaration,
} from '@funnel/contracts';
import { list, percent, table } from './format.ts';
import type { Configuration, Table2 } from './measured.ts';

const paper = { train: 60_000, test: 10_000, attack: 1000 } as const;
const printedHyperparameters: Readonly<Record<string, HyperparameterValue>> = Hyperparameters.parse({});

/** Training images × epochs: the cost of a run. */
export const imagesSeen = (train: number, { epochs }: Configuration): number =>
  train * ((epochs.initialise ?? 0) + (epochs.optimise ?? 0));

const paperSeen =
  paper.train *
  (Number(printedHyperparameters.initialiseEpochs) + Number(printedHyperparameters.optimiseEpochs));

/** The training of the least trained configuration as a share of the paper's. */
export const shareOfTraining = ({ sweep }: Table2, configurations: readonly Configuration[]): number =>
  Math.min(
    ...configurations.map((configuration) => imagesSeen(sweep.definition.dataset.train, configuration)),
  ) / paperSeen;

const updates = (train: number, batch: number, epochs: number): number => Math.ceil(train / batch) * epochs;

const shareOfUpdates = ({ sweep }: Table2, configurations: readonly Configuration[]): number =>
  Math.min(
    ...configurations.map(({ hyperparameters, epochs }) =>
      updates(
        sweep.definition.dataset.train,
        Number(hyperparameters.batchSize),
        (epochs.initialise ?? 0) + (epochs.optimise ?? 0),
      ),
    ),
  ) / updates(paper.train, Number(printedHyperparameters.batchSize), paperSeen / paper.train);

/** The command that submits this sweep. */
const command = ({ sweep: { definition } }: Table2): string => {
  const {
    dataset: { content: _, ...dataset },
    space,
    seeds,
  } = definition;
  const flags = [
    ...Object.entries(dataset).map(([name, value]) => `dataset.${name}=${value}`),
    ...Object.entries(space).map(([name, value]) => `space.${name}=${JSON.stringify(value)}`),
    `seeds=${JSON.stringify(seeds)}`,
  ];
  return ['npx funnel submit examples/table2.yaml', ...flags.map((flag) => `  --set '${flag}'`)].join(
    ' \\\n',
  );
};

const hyperparameterRows = (configurations: readonly Configuration[]): (readonly string[])[] => {
  const names = [...new Set(configurations.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))];
  return names.flatMap((name) => {
    const values = [
      ...new Set(
        configurations.flatMap(({ hyperparameters }) =>
          name in hyperparameters ? [String(hyperparameters[name])] : [],
        ),
      ),
    ];
    const { title, assumed } = hyperparameterDeclaration(name as HyperparameterName); // Trials have declared hyperparameters only.
    const printed = assumed ? 'not printed' : String(printedHyperparameters[name]);
    if (!assumed && values.length === 1 && values[0] === printed) return [];
    return [[title, values.join(', '), printed]];
  });
};

const epochsOf = ({ name, epochs }: Configuration): string =>
  `\`${name}\` ${Object.entries(epochs)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(' + ')}`;

export const conditions = (data: Table2, configurations: readonly Configuration[]): string => {
  const { sweep } = data;
  const { dataset, seeds } = sweep.definition;
  const size = (key: keyof typeof paper) => [
    `${key === 'attack' ? 'Attacked: correctly classified images among the first' : `${key === 'train' ? 'Training' : 'Test'} images`}`,
    String(dataset[key]),
    String(paper[key]),
  ];
  const seconds = data.results.flatMap(({ trial }) =>
    trial.stages.map((stage) => [stage.id, stage.seconds ?? 0] as const),
  );
  const minutes = [...new Map(seconds).values()].reduce((sum, value) => sum + value, 0) / 60;
  return [
    '## What was run',
    '',
    `Sweep “${sweep.name}” (${sweep.id}) of ${sweep.createdAt.slice(0, 10)} on ${datasetTitle(dataset.name)}, seeds ${list(seeds.map(String))}: ${data.results.length} trials, ${sweep.epochsTrained} epochs trained, ${minutes.toFixed(1)} minutes of trainers’ time.`,
    '',
    '```sh',
    command(data),
    '```',
    '',
    `Epochs: ${configurations.map(epochsOf).join('; ')}.`,
    `The auto-encoders saw ${percent(shareOfTraining(data, configurations))} of the paper’s images (images × epochs), in ${percent(shareOfUpdates(data, configurations))} of its updates. These are the smallest shares of all configurations.`,
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
