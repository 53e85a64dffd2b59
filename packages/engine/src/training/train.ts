import {
  type CheckpointManifest,
  datasets,
  type Hyperparameters,
  type Position,
  type StageSpec,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { imagesAt, yieldToEventLoop } from '../batches.ts';
import {
  type Checkpoint,
  loadMoments,
  loadNetwork,
  packTensors,
  type Stored,
  storeNetwork,
} from '../checkpoint.ts';
import type { LoadedDataset, Split } from '../datasets/split.ts';
import { createNetwork, initialWeights, type Network, readTensors } from '../models/network.ts';
import { createRandom, normalNoise, shuffled, uniformNoise } from '../random.ts';
import { recipes } from '../recipes/registry.ts';
import { createMeter, findCollapse } from './measure.ts';
import {
  type Adam,
  type Batch,
  createAdam,
  readHyperparameters,
  type Setup,
  type StageHooks,
  type StageOutcome,
  type StageRecipe,
  type StageStart,
  type StageTask,
  type Training,
} from './stage.ts';

/** Runs one training stage, from its start to its end. */

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

/** The loop that every training stage runs: shuffle, batches, steps, metrics, checkpoints. */

/** Scalars that may wait on the device before the loop looks at them; a loss that is not finite is noticed as late as that. */
const maxPending = 48;

export type TrainOptions = {
  readonly spec: StageSpec;
  readonly start: StageStart | null;
  readonly split: Split;
  readonly batchSize: number;
  readonly hooks: StageHooks;
  /** Seconds between checkpoints within an epoch; what they are does not change results. */
  readonly checkpointSeconds: number;
};

/**
 * Trains from where `start` stands to the end of epoch `spec.epochs`. Every epoch sees every image once, in an order of its own; the
 * last batch of an epoch is as short as it comes out. A step depends on the weights, the moments and (seed, kind, epoch, step) alone,
 * so a run that was interrupted, or that is a stretch of a longer one, gives the same bits.
 */
export const train = async (
  training: Training,
  { spec, start, split, batchSize, hooks, checkpointSeconds }: TrainOptions,
): Promise<StageOutcome> => {
  const steps = Math.ceil(split.count / batchSize);
  const from: Position = start?.sameChain ? start.manifest.position : { epoch: 0, step: 0 };
  const meter = createMeter(sumsOf(start));
  const progress = createProgress(steps, hooks.onProgress);
  let carried = carriedOf(start);
  let last = from; // the newest position that is saved, or needs no saving
  let savedAt = performance.now();

  const save = async (
    position: Position,
    metrics: Readonly<Record<string, number>> | null,
  ): Promise<boolean> => {
    const checkpoint = await capture(training, position, carried, meter.sums());
    if (checkpoint !== null) await hooks.onCheckpoint(checkpoint, metrics);
    last = position;
    savedAt = performance.now();
    return checkpoint !== null;
  };
  const diverged = (what: string, epoch: number, step: number): StageOutcome => ({
    status: 'diverged',
    message: `Expected a finite ${what} in epoch ${epoch + 1}, step ${step + 1} of ${steps}. Lower learning rates may help.`,
  });

  try {
    for (let epoch = from.epoch; epoch < spec.epochs; epoch++) {
      const order = shuffled(createRandom(spec.seed, spec.kind, 'order', epoch), split.count);
      const first = epoch === from.epoch ? from.step : 0;
      for (let step = first; step < steps; step++) {
        const stop = hooks.signal.aborted;
        const due = step > first && performance.now() - savedAt > 1000 * checkpointSeconds;
        if (stop || due || meter.pending() >= maxPending) {
          const fault = await meter.flush();
          if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
        }
        const moved = epoch !== last.epoch || step !== last.step;
        if ((stop || due) && moved && !(await save({ epoch, step }, null)))
          return diverged('weight, but one was not', epoch, step - 1);
        if (stop) return { status: 'stopped' };

        const rows = order.subarray(step * batchSize, (step + 1) * batchSize);
        const batch = batchOf(spec, split, rows, { epoch, step }, steps);
        const measured = tf.tidy(() => training.step(batch) as tf.NamedTensorMap);
        meter.add(measured, step, rows.length);
        progress.trained({ epoch, step: step + 1 }, rows.length);
        await yieldToEventLoop();
      }
      const fault = await meter.flush();
      if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
      const metrics = { ...meter.finish(split.count, steps), ...(await training.afterEpoch?.()) };
      carried = { ...carried, ...training.scalars?.(metrics) };
      if (!(await save({ epoch: epoch + 1, step: 0 }, metrics)))
        return diverged('weight, but one was not', epoch, steps - 1);
    }
    return { status: 'completed' };
  } finally {
    meter.dispose();
  }
};

const batchOf = (
  { seed, kind }: StageSpec,
  split: Split,
  rows: Uint32Array,
  { epoch, step }: Position,
  steps: number,
): Batch => {
  const drawn =
    (purpose: 'noise' | 'normal', draw: typeof uniformNoise): Batch['noise'] =>
    (shape) => {
      const size = shape.reduce((a, b) => a * b, rows.length);
      const random = createRandom(seed, kind, purpose, epoch, step);
      return tf.tensor(draw(random, size), [rows.length, ...shape]);
    };
  return {
    rows,
    images: () => imagesAt(split, rows),
    noise: drawn('noise', uniformNoise),
    normal: drawn('normal', normalNoise),
    update: epoch * steps + step + 1,
  };
};

export type Progress = {
  /** Position, with the steps that an epoch has. */
  readonly position: Position;
  readonly steps: number;
  /** Since the last report. */
  readonly imagesPerSecond: number;
};

const everyMilliseconds = 250;

/** Counts images and reports now and then. */
export const createProgress = (steps: number, report: ((progress: Progress) => void) | undefined) => {
  let images = 0;
  let since = performance.now();
  return {
    trained: (position: Position, count: number): void => {
      images += count;
      const elapsed = performance.now() - since;
      if (elapsed < everyMilliseconds) return;
      report?.({ position, steps, imagesPerSecond: (1000 * images) / elapsed });
      images = 0;
      since = performance.now();
    },
  };
};

/** The state of training as a checkpoint, and what of a checkpoint's scalars training goes on with. */

type Scalars = Readonly<Record<string, number>>;

/** Sums of the running epoch carry this prefix in a manifest, beside scalars that later stages read. */
const prefix = 'sum.';

const renamed = (scalars: Scalars, keep: (name: string) => string | null): Record<string, number> =>
  Object.fromEntries(
    Object.entries(scalars).flatMap(([name, value]) => {
      const kept = keep(name);
      return kept === null ? [] : [[kept, value]];
    }),
  );

/** Sums of the epoch that the start stands in; none where it only is what training builds on. */
export const sumsOf = (start: StageStart | null): Record<string, number> =>
  start?.sameChain
    ? renamed(start.manifest.scalars, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : null))
    : {};

/** Scalars that go from checkpoint to checkpoint. */
export const carriedOf = (start: StageStart | null): Record<string, number> =>
  renamed(start?.manifest.scalars ?? {}, (name) => (name.startsWith(prefix) ? null : name));

/** Answers null where a weight is not a finite number: such a state is no checkpoint. */
export const capture = async (
  training: Training,
  position: Position,
  carried: Scalars,
  sums: Scalars,
): Promise<Checkpoint | null> => {
  const blobs = new Map<string, Uint8Array>();
  const networks: CheckpointManifest['networks'] = { ...training.frozen };
  for (const [name, network] of Object.entries(training.networks)) {
    const stored = await storeNetwork(network);
    if (!stored.finite) return null;
    networks[name] = stored.manifest;
    blobs.set(stored.manifest.blob, stored.bytes);
  }
  const players = Object.entries(training.players);
  const moments = packTensors(await readTensors(players.flatMap(([, player]) => player.moments)));
  blobs.set(moments.blob, moments.bytes);
  const tensors = players.flatMap(([name, player]) =>
    player.moments.map((moment, i) => ({
      name: `${name}/${Math.floor(i / 2)}/${i % 2 === 0 ? 'm' : 'v'}`,
      shape: [...moment.shape],
    })),
  );
  const scalars = { ...carried, ...renamed(sums, (name) => prefix + name) };
  return { manifest: { position, networks, moments: { tensors, blob: moments.blob }, scalars }, blobs };
};
