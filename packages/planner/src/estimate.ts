/**
 * What a sweep will cost, in closed form and before anything runs: parameters of networks, memory of a trainer, bytes in the database,
 * queries of attacks. Refuses a sweep beyond the limits by the path that should be made smaller.
 */
import {
  AppError,
  dataOf,
  defaultHyperparameters,
  formatAmount,
  formatBytes,
  type Plan,
  queriesOf,
  type RecipeName,
  type StageKind,
  type SweepDefinition,
  type SweepLimits,
  stageDataset,
  sweepDataset,
  variableOf,
} from '@funnel/contracts';
import { memoize, memoizeBy } from './memoize.ts';
import { minBytes, sizes, trainedBy } from './memory.ts';
import { type DataSize, type Networks, networksOf } from './network-sizes.ts';
import { countAttacked, type Outline } from './outline.ts';
import type { Sized } from './training.ts';

const bytesPerNumber = 4;
/** Bytes of a stage's rows, indexes and links in the database, measured with 200,000 trials. */
const bytesPerStage = 2500;
/** Bytes of the records of one attacked image. */
const bytesPerRecord = 40;
/** Memory of a trainer before it has a network: the program, TensorFlow.js and its kernels. */
const trainerBytes = 250 * 2 ** 20;

const supervised: readonly RecipeName[] = [
  'plain',
  'adversarial-training',
  'trades',
  'distillation',
  'magnet',
];

/** Weights that a checkpoint stores anew at the end of an epoch. The classifier is stored whole, and its parts by themselves. */
const storedWeights = (recipe: RecipeName, kind: StageKind, networks: Networks): number => {
  const { encoder, head } = networks;
  if (kind !== 'classify') return trainedBy(recipe, kind, networks).weights;
  return supervised.includes(recipe)
    ? 2 * (encoder.weights + head.weights)
    : encoder.weights + 2 * head.weights;
};

type Configuration = Pick<Sized, 'recipe' | 'hyperparameters'>;

const trainingKinds: readonly StageKind[] = ['initialise', 'optimise', 'classify'];

const bytesOf = ({ recipe, hyperparameters }: Configuration, data: DataSize): number =>
  trainerBytes + Math.max(...trainingKinds.map((kind) => minBytes({ recipe, kind, data }, hyperparameters)));

const parametersOf = ({ recipe, hyperparameters }: Configuration, data: DataSize): number => {
  const networks = networksOf(data, hyperparameters);
  return Math.max(...trainingKinds.map((kind) => trainedBy(recipe, kind, networks).weights));
};

/** The size whose default would save the most memory: the user should make it smaller. */
const largestSize = (largest: Configuration, data: DataSize, { space }: SweepDefinition): string => {
  const bytesWithout = (name: (typeof sizes)[number]): number =>
    bytesOf(
      { ...largest, hyperparameters: { ...largest.hyperparameters, [name]: defaultHyperparameters[name] } },
      data,
    );
  const written = sizes.filter((name) => space[name] !== undefined);
  const [first = 'recipes'] = [...written].sort((a, b) => bytesWithout(a) - bytesWithout(b));
  return first === 'recipes' ? first : `space.${first}`;
};

/** The bytes that the stages will store, without those that the database has: checkpoints, records of images, rows. */
const storedBytesOf = (outline: Outline, data: DataSize): number => {
  const { training, sized, classifiers, counts } = outline;
  const weightsOf = memoize(({ recipe, hyperparameters }: Configuration) => {
    const networks = networksOf(data, hyperparameters);
    return memoizeBy(
      (kind: StageKind) => kind,
      (kind) => ({
        stored: storedWeights(recipe, kind, networks),
        trained: trainedBy(recipe, kind, networks).weights,
      }),
    );
  });
  const attackStages = [...countAttacked(outline, classifiers).values()].reduce(
    (sum, count) => sum + count,
    0,
  );
  let total = attackStages * (bytesPerStage + counts.attackedImages * bytesPerRecord);
  for (const [place, { kind, epochs }] of training.entries()) {
    const { stored, trained } = weightsOf(sized[place]!)(kind);
    // One checkpoint for each epoch; Adam's two moments stay only at the end of the stage.
    total += bytesPerStage + bytesPerNumber * (epochs * stored + 2 * trained);
  }
  return total;
};

type Refused = { readonly path: string; readonly expected: string; readonly received: string };

const refuse = (sentence: string, issue: Refused): never => {
  throw new AppError(
    'SWEEP_TOO_LARGE',
    `${sentence} Expected ${issue.expected}, but got ${issue.received}.`,
    {
      issues: [issue],
      hint: 'Make the value at the path smaller, or ask an operator to raise the limit.',
    },
  );
};

/** The estimate of a sweep. Throws SWEEP_TOO_LARGE, with the path, the limit and its variable. */
export const estimate = (
  definition: SweepDefinition,
  outline: Outline,
  limits: SweepLimits,
): NonNullable<Plan['estimate']> => {
  const dataset = stageDataset(sweepDataset(definition.dataset));
  const data = dataOf(dataset);
  const configurations: readonly Configuration[] = [...new Set(outline.sized)];
  const largest = configurations.reduce((a, b) => (bytesOf(b, data) > bytesOf(a, data) ? b : a));
  const memory = bytesOf(largest, data);
  if (memory > limits.trainerBytes)
    refuse('A trainer would need too much memory.', {
      path: largestSize(largest, data, definition),
      expected: `at most ${formatBytes(limits.trainerBytes)} (${variableOf('trainerBytes')})`,
      received: `${formatBytes(memory)} for ${formatAmount(parametersOf(largest, data))} parameters`,
    });

  const storedBytes = storedBytesOf(outline, data);
  if (storedBytes > limits.storedBytes)
    refuse('The sweep would store too much.', {
      path: 'trials' in definition.search ? 'search.trials' : 'space',
      expected: `at most ${formatBytes(limits.storedBytes)} (${variableOf('storedBytes')})`,
      received: formatBytes(storedBytes),
    });

  for (const attack of outline.attacks) {
    const ofStage = queriesOf(attack) * dataset.attack;
    if (ofStage > limits.attackQueries)
      refuse(`The attack ${attack.attack} would ask the model too often.`, {
        path: 'attacks',
        expected: `at most ${formatAmount(limits.attackQueries)} queries of one attack (${variableOf('attackQueries')})`,
        received: `up to ${formatAmount(queriesOf(attack))} for each of ${formatAmount(dataset.attack)} images`,
      });
  }
  let queries = 0;
  for (const [attack, count] of countAttacked(outline, outline.classifiers))
    queries += queriesOf(attack) * dataset.attack * count;
  return {
    parameters: Math.max(...configurations.map((one) => parametersOf(one, data))),
    trainerBytes: memory,
    storedBytes,
    attackQueries: queries,
  };
};
