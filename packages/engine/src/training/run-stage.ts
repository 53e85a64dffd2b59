/** Runs one training stage, from its start to its end. */
import { datasets, type Hyperparameters } from '@funnel/contracts';
import { loadMoments, loadNetwork, type Stored } from '../checkpoint.ts';
import type { LoadedDataset } from '../datasets/split.ts';
import { initialWeights } from '../models/initial-weights.ts';
import { createNetwork, type Network } from '../models/network.ts';
import { createRandom } from '../random.ts';
import { recipes } from '../recipes/registry.ts';
import { readHyperparameters } from '../recipes/stage-hyperparameters.ts';
import { type Adam, createAdam } from './adam.ts';
import { findCollapse } from './collapse.ts';
import type { Setup, StageHooks, StageOutcome, StageRecipe, StageTask } from './stage.ts';
import { train } from './train.ts';

export type StageOptions = StageHooks & {
  readonly dataset: LoadedDataset;
  /** Seconds between checkpoints within an epoch; none unless said. They do not change results. */
  readonly checkpointSeconds?: number;
};

const recipeOf = ({ recipe, kind }: StageTask['spec']): StageRecipe<Partial<Hyperparameters>> => {
  const stages: Readonly<Record<string, unknown>> = recipes[recipe];
  const stage = stages[kind];
  if (stage === undefined)
    throw new Error(
      `Expected a training stage of ${recipe} (${Object.keys(stages).join(', ')}), but got ${kind}`,
    );
  return stage as StageRecipe<Partial<Hyperparameters>>; // `readHyperparameters` gives each stage the hyperparameters that its type names
};

/** Networks and optimisers as a recipe asks for them, and one owner that frees them all. */
const createWorkshop = ({ spec, start }: StageTask, hyperparameters: Partial<Hyperparameters>) => {
  const made: { dispose: () => void }[] = [];
  const own = <T extends { dispose: () => void }>(thing: T): T => {
    made.push(thing);
    return thing;
  };
  let moments = start?.sameChain ? loadMoments(start) : undefined;
  if (moments === null)
    throw new Error('Expected a checkpoint with moments to continue from, but its moments were not kept');
  const network: Setup['network'] = (name, fresh, outputBias) => {
    if (start?.manifest.networks[name] !== undefined) return own(loadNetwork(start, name));
    if (fresh === undefined)
      throw new Error(
        `Expected a stage of kind ${spec.kind} to start from a checkpoint with ${name}, but it has none`,
      );
    const random = createRandom(spec.seed, spec.kind, 'weights', name);
    return own(createNetwork(fresh, initialWeights(fresh, hyperparameters.initializer!, random, outputBias)));
  };
  // Moments are stored player by player, in the order in which the recipe asks for them.
  const player: Setup['player'] = (_name, networks: readonly Network[], rate): Adam => {
    const weights = networks.flatMap(({ weights }) => weights);
    const adam = own(createAdam(weights, rate, moments?.slice(0, 2 * weights.length)));
    moments = moments?.slice(2 * weights.length);
    return adam;
  };
  const dispose = (): void => {
    for (const thing of made) thing.dispose();
  };
  return { network, player, dispose };
};

/**
 * Trains a stage from `task.start` on the backend that tfjs runs on, and hands over a checkpoint after every epoch. Resolves with how
 * it ended; throws on bad input (a hyperparameter out of range, a start without what the stage needs, a corrupt data set).
 */
export const runStage = async (
  task: StageTask,
  { dataset, checkpointSeconds = Number.POSITIVE_INFINITY, ...hooks }: StageOptions,
): Promise<StageOutcome> => {
  const { spec, start } = task;
  const recipe = recipeOf(spec);
  const hyperparameters = readHyperparameters(spec);
  const split = await dataset.train();
  const workshop = createWorkshop(task, hyperparameters);
  const updatesOf = ({ manifest }: Stored): number =>
    manifest.position.epoch * Math.ceil(split.count / hyperparameters.batchSize!);
  try {
    const training = await recipe({
      hyperparameters,
      start,
      image: split.shape,
      classes: datasets[spec.dataset.name].classes.length,
      train: split,
      test: dataset.test,
      signal: hooks.signal,
      network: workshop.network,
      player: workshop.player,
      frozen: (...names) => Object.fromEntries(names.map((name) => [name, start!.manifest.networks[name]!])),
    });
    if (start !== null && !start.sameChain) {
      const message = await findCollapse(start, training.standsOn, split, updatesOf(start));
      if (message !== null) return { status: 'collapsed', message };
    }
    let last: Stored | null = start;
    const onCheckpoint: StageHooks['onCheckpoint'] = async (checkpoint, metrics) => {
      last = {
        manifest: checkpoint.manifest,
        blobs: new Map([...(start?.blobs ?? []), ...checkpoint.blobs]),
      };
      await hooks.onCheckpoint(checkpoint, metrics);
    };
    const outcome = await train(training, {
      spec,
      start,
      split: training.split ?? split,
      batchSize: hyperparameters.batchSize!,
      checkpointSeconds,
      hooks: { ...hooks, onCheckpoint },
    });
    if (outcome.status !== 'completed') return outcome;
    const message = await findCollapse(last!, training.makes, split, updatesOf(last!));
    return message === null ? outcome : { status: 'collapsed', message };
  } finally {
    workshop.dispose();
  }
};
