/**
 * What a sweep will cost, in closed form and before anything runs: parameters of networks, memory of a trainer, bytes in the database,
 * queries of attacks. Refuses a sweep beyond the limits by the path that should be made smaller.
 */
import {
  AppError,
  type AttackRun,
  dataOf,
  defaultHyperparameters,
  formatAmount,
  formatBytes,
  type HyperparameterName,
  type Hyperparameters,
  type Plan,
  type RecipeName,
  type StageKind,
  type SweepDefinition,
  type SweepLimits,
  stageDataset,
  sweepDataset,
  variableOf,
} from '@funnel/contracts';
import { minBytes, trainedBy } from './memory.ts';
import { type DataSize, type Networks, networksOf } from './network-sizes.ts';
import type { Outline } from './outline.ts';

const bytesPerNumber = 4;
/** Bytes of a stage's rows, indexes and links in the database, measured with 200,000 trials. */
const bytesPerStage = 2500;
/** Bytes of the records of one attacked image. */
const bytesPerRecord = 40;
/** Memory of a trainer before it has a network: the program, TensorFlow.js and its kernels. */
const trainerBytes = 250 * 2 ** 20;

const supervised: readonly RecipeName[] = ['adversarial-training', 'trades', 'distillation', 'magnet'];

/** Weights that a checkpoint stores anew at the end of an epoch. The classifier is stored whole, and its parts by themselves. */
const storedWeights = (recipe: RecipeName, kind: StageKind, networks: Networks): number => {
  const { encoder, head } = networks;
  if (kind !== 'classify') return trainedBy(recipe, kind, networks).weights;
  return supervised.includes(recipe)
    ? 2 * (encoder.weights + head.weights)
    : encoder.weights + 2 * head.weights;
};

/** Settings whose product bounds the number of queries of an attack for one image; 2 for the forward and the backward pass. */
const factors = [
  'steps',
  'restarts',
  'searchSteps',
  'queries',
  'draws',
  'maxEvaluations',
  'targets',
  'classes',
] as const;

/** An upper bound on the queries of an attack for one image. */
export const queriesOf = ({ settings }: AttackRun): number =>
  factors.reduce((product, name) => {
    const value = (settings as Readonly<Record<string, unknown>>)[name];
    return typeof value === 'number' ? product * Math.max(1, value) : product;
  }, 2);

const sizes = [
  ...['filters', 'latent', 'classifierUnits', 'noise', 'batchSize'],
  ...['architecture', 'kernelSize', 'activation', 'codeActivation', 'normalisation', 'paddedSize'],
] as const satisfies readonly HyperparameterName[];

type Configuration = { readonly recipe: RecipeName; readonly hyperparameters: Hyperparameters };

/** Each combination of a recipe and the hyperparameters that decide the sizes of networks, once. */
const sizedConfigurations = ({ trials }: Outline): readonly Configuration[] => {
  const found = new Map<string, Configuration>();
  for (const { recipe, hyperparameters: own } of trials) {
    const hyperparameters = { ...defaultHyperparameters, ...own } as Hyperparameters; // as the sweep's definition was parsed
    const key = JSON.stringify([recipe, ...sizes.map((name) => hyperparameters[name])]);
    if (!found.has(key)) found.set(key, { recipe, hyperparameters });
  }
  return [...found.values()];
};

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
const storedBytesOf = (
  { stages }: Pick<Outline, 'stages'>,
  hyperparametersOfStage: ReadonlyMap<string, Hyperparameters>,
): number => {
  const weights = new Map<string, { stored: number; trained: number }>();
  let total = 0;
  for (const { id, kind, recipe, dataset, epochs } of stages) {
    total += bytesPerStage;
    if (kind === 'attack') {
      total += dataset.attack * bytesPerRecord;
      continue;
    }
    const hyperparameters = hyperparametersOfStage.get(id)!;
    const key = JSON.stringify([recipe, kind, ...sizes.map((name) => hyperparameters[name])]);
    let size = weights.get(key);
    if (!size) {
      const networks = networksOf(dataOf(dataset), hyperparameters);
      size = {
        stored: storedWeights(recipe, kind, networks),
        trained: trainedBy(recipe, kind, networks).weights,
      };
      weights.set(key, size);
    }
    // One checkpoint for each epoch; Adam's two moments stay only at the end of the stage.
    total += bytesPerNumber * (epochs * size.stored + 2 * size.trained);
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
  const configurations = sizedConfigurations(outline);
  const largest = configurations.reduce((a, b) => (bytesOf(b, data) > bytesOf(a, data) ? b : a));
  const memory = bytesOf(largest, data);
  if (memory > limits.trainerBytes)
    refuse('A trainer would need too much memory.', {
      path: largestSize(largest, data, definition),
      expected: `at most ${formatBytes(limits.trainerBytes)} (${variableOf('trainerBytes')})`,
      received: `${formatBytes(memory)} for ${formatAmount(parametersOf(largest, data))} parameters`,
    });

  const hyperparametersOfStage = new Map<string, Hyperparameters>();
  for (const { hyperparameters, stages } of outline.trials)
    for (const id of stages)
      if (!hyperparametersOfStage.has(id))
        hyperparametersOfStage.set(id, { ...defaultHyperparameters, ...hyperparameters } as Hyperparameters); // as above
  const storedBytes = storedBytesOf(outline, hyperparametersOfStage);
  if (storedBytes > limits.storedBytes)
    refuse('The sweep would store too much.', {
      path: 'search' in definition && definition.search.strategy === 'random' ? 'search.trials' : 'space',
      expected: `at most ${formatBytes(limits.storedBytes)} (${variableOf('storedBytes')})`,
      received: formatBytes(storedBytes),
    });

  let queries = 0;
  for (const { attack } of outline.stages) {
    if (!attack) continue;
    const ofStage = queriesOf(attack) * dataset.attack;
    if (ofStage > limits.attackQueries)
      refuse(`The attack ${attack.attack} would ask the model too often.`, {
        path: 'attacks',
        expected: `at most ${formatAmount(limits.attackQueries)} queries of one attack (${variableOf('attackQueries')})`,
        received: `up to ${formatAmount(queriesOf(attack))} for each of ${formatAmount(dataset.attack)} images`,
      });
    queries += ofStage;
  }
  return {
    parameters: Math.max(...configurations.map((one) => parametersOf(one, data))),
    trainerBytes: memory,
    storedBytes,
    attackQueries: queries,
  };
};
