/**
 * Runs one training stage. `runStage` reads from top to bottom: configuration, data, networks and optimisers, the loop over epochs and
 * steps, the end. Its helpers follow in the order in which it calls them.
 */
import {
  type CheckpointManifest,
  type CleanCounts,
  dataOf,
  type Hyperparameters,
  type Position,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { augment, isAugmenting } from '../augment.ts';
import { encodeAll, imagesAt, yieldToEventLoop } from '../batches.ts';
import {
  type Checkpoint,
  loadMoments,
  loadNetwork,
  packTensors,
  type Stored,
  storeNetwork,
} from '../checkpoint.ts';
import { gatherImages, type LoadedDataset, type Split } from '../datasets/split.ts';
import { createNetwork, initialWeights, readTensors } from '../models/network.ts';
import { createRandom, normalNoise, type Random, shuffled, uniformNoise } from '../random.ts';
import { recipes } from '../recipes/registry.ts';
import { createMeter, findCollapse } from './measure.ts';
import {
  type Batch,
  createAdam,
  type Progress,
  readHyperparameters,
  type Setup,
  type StageHooks,
  type StageOutcome,
  type StageRecipe,
  type StageStart,
  type StageTask,
  type Training,
} from './stage.ts';

export type StageOptions = StageHooks & {
  readonly dataset: LoadedDataset;
  /** Seconds between checkpoints within an epoch. Without it there are none. Results do not depend on it. */
  readonly checkpointSeconds?: number;
};

type Scalars = Readonly<Record<string, number>>;

/** How many scalars may wait on the device. The loop notices a loss that is not finite only when it reads them. */
const maxPending = 48;

/**
 * Trains a stage from `task.start` to the end of epoch `spec.epochs` on the backend that tfjs runs on. Hands over a checkpoint after
 * every epoch, and resolves with how the stage ended.
 *
 * Every epoch sees every image once, in an order of its own; the last batch of an epoch may be shorter. A step depends only on the
 * weights, the moments and (seed, kind, epoch, step), so a run that was interrupted, or a shorter run that was continued, gives the same
 * bits as one that ran through.
 *
 * Throws on bad input: a hyperparameter out of range, a start that lacks a network, a corrupt data set.
 */
export const runStage = async (
  { spec, start }: StageTask,
  { dataset, checkpointSeconds = Number.POSITIVE_INFINITY, signal, onCheckpoint, onProgress }: StageOptions,
): Promise<StageOutcome> => {
  // Configuration and data.
  const recipe = recipeOf(spec);
  const hyperparameters = readHyperparameters(spec);
  const batchSize = hyperparameters.batchSize!;
  const train = await dataset.train();
  const updatesOf = ({ manifest }: Stored): number =>
    manifest.position.epoch * Math.ceil(train.count / batchSize);

  const meter = createMeter(epochSumsOf(start));
  const resources = createResources({ spec, start }, hyperparameters);
  try {
    // Networks and optimisers, from the start or new.
    const training = await recipe({
      hyperparameters,
      start,
      image: train.shape,
      classes: dataOf(spec.dataset).classCount,
      train,
      test: dataset.test,
      signal,
      outputsOf: async (network) => {
        if (isAugmenting(hyperparameters)) return (batch) => network.apply(batch.images());
        const outputs = await encodeAll(network, train, signal);
        return (batch) => outputs(batch.indices);
      },
      network: resources.network,
      optimiser: resources.optimiser,
      frozen: (...names) => Object.fromEntries(names.map((name) => [name, start!.manifest.networks[name]!])),
    });
    if (start !== null && !start.sameChain) {
      const message = await findCollapse(
        start,
        training.dependsOnAutoEncoders ?? [],
        train,
        updatesOf(start),
      );
      if (message !== null) return { status: 'collapsed', message };
    }

    // The loop.
    const split = training.split ?? train;
    const steps = Math.ceil(split.count / batchSize);
    const begin: Position = start?.sameChain ? start.manifest.position : { epoch: 0, step: 0 };
    const reportProgress = createReporter(steps, onProgress);
    let scalars = keptScalarsOf(start);
    let newest: Stored | null = start;
    let saved = begin; // the newest position of which a checkpoint exists
    let savedAt = performance.now();

    /** Hands the state over as a checkpoint. Where a weight is not finite, hands over nothing and answers false. */
    const save = async (
      position: Position,
      metrics: Scalars | null,
      perClass: CleanCounts | null,
    ): Promise<boolean> => {
      const checkpoint = await captureCheckpoint(training, position, scalars, meter.sums());
      if (checkpoint === null) return false;
      newest = {
        manifest: checkpoint.manifest,
        blobs: new Map([...(start?.blobs ?? []), ...checkpoint.blobs]),
      };
      await onCheckpoint(checkpoint, metrics, perClass);
      saved = position;
      savedAt = performance.now();
      return true;
    };
    const diverged = (what: string, epoch: number, step: number): StageOutcome => ({
      status: 'diverged',
      message: `Expected a finite ${what} in epoch ${epoch + 1}, step ${step + 1} of ${steps}. Lower learning rates may help.`,
    });

    for (let epoch = begin.epoch; epoch < spec.epochs; epoch++) {
      const order = shuffled(createRandom(spec.seed, spec.kind, 'order', epoch), split.count); // [count]
      const batchAt = (step: number) => order.subarray(step * batchSize, (step + 1) * batchSize); // [batch]
      const firstStep = epoch === begin.epoch ? begin.step : 0;
      let ahead = split.prefetch(batchAt(firstStep));
      for (let step = firstStep; step < steps; step++) {
        // Before the step: read the losses; save or stop where that is due.
        const stop = signal.aborted;
        const due = step > firstStep && performance.now() - savedAt > 1000 * checkpointSeconds;
        if (stop || due || meter.pending() >= maxPending) {
          const fault = await meter.flush();
          if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
        }
        const unsaved = epoch !== saved.epoch || step !== saved.step;
        if ((stop || due) && unsaved && !(await save({ epoch, step }, null, null)))
          return diverged('weight, but one was infinite or NaN', epoch, step - 1);
        if (stop) return { status: 'stopped' };

        // The step: forward pass, backward pass, update. The disk reads the next batch meanwhile.
        const indices = batchAt(step);
        await ahead;
        ahead = split.prefetch(batchAt(step + 1));
        const batch = batchOf(spec, hyperparameters, split, indices, { epoch, step }, steps);
        const metrics = tf.tidy(() => training.step(batch) as tf.NamedTensorMap);
        meter.add(metrics, step, indices.length);
        reportProgress({ epoch, step: step + 1 }, indices.length);
        await yieldToEventLoop();
      }

      // After the epoch: metrics, checkpoint.
      const fault = await meter.flush();
      if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
      const { perClass = null, ...measured } = (await training.afterEpoch?.()) ?? {};
      const metrics = { ...meter.finish(split.count, steps), ...measured };
      scalars = { ...scalars, ...training.scalars?.(metrics) };
      if (!(await save({ epoch: epoch + 1, step: 0 }, metrics, perClass)))
        return diverged('weight, but one was infinite or NaN', epoch, steps - 1);
    }

    // The end.
    const message = await findCollapse(
      newest!,
      training.producesAutoEncoders ?? [],
      train,
      updatesOf(newest!),
    );
    return message === null ? { status: 'completed' } : { status: 'collapsed', message };
  } finally {
    meter.dispose();
    resources.dispose();
  }
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

/** Scalars of a manifest whose name has this prefix are sums of the running epoch. Later stages read the others. */
const sumPrefix = 'sum.';

/** The sums of the unfinished epoch of the start. A start of another chain has none. */
const epochSumsOf = (start: StageStart | null): Record<string, number> =>
  Object.fromEntries(
    Object.entries(start?.sameChain ? start.manifest.scalars : {})
      .filter(([name]) => name.startsWith(sumPrefix))
      .map(([name, sum]) => [name.slice(sumPrefix.length), sum]),
  );

/** The scalars of the start that every checkpoint keeps. */
const keptScalarsOf = (start: StageStart | null): Record<string, number> =>
  Object.fromEntries(
    Object.entries(start?.manifest.scalars ?? {}).filter(([name]) => !name.startsWith(sumPrefix)),
  );

/** Makes the networks and optimisers that a recipe asks for; `dispose` frees them all. */
const createResources = ({ spec, start }: StageTask, hyperparameters: Partial<Hyperparameters>) => {
  const owned: { dispose: () => void }[] = [];
  const own = <T extends { dispose: () => void }>(resource: T): T => {
    owned.push(resource);
    return resource;
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
  // A checkpoint stores the moments of one optimiser after the other, in the order in which the recipe asks for them.
  const optimiser: Setup['optimiser'] = (_name, networks, rate) => {
    const weights = networks.flatMap(({ trained }) => trained);
    const adam = own(createAdam(weights, rate, moments?.slice(0, 2 * weights.length)));
    moments = moments?.slice(2 * weights.length);
    return adam;
  };
  const dispose = (): void => {
    for (const resource of owned) resource.dispose();
  };
  return { network, optimiser, dispose };
};

const reportMilliseconds = 250;

/** Counts images and reports progress at most every 250 ms. */
const createReporter = (steps: number, report: ((progress: Progress) => void) | undefined) => {
  let images = 0;
  let since = performance.now();
  return (position: Position, trained: number): void => {
    images += trained;
    const elapsed = performance.now() - since;
    if (elapsed < reportMilliseconds) return;
    report?.({ position, steps, imagesPerSecond: (1000 * images) / elapsed });
    images = 0;
    since = performance.now();
  };
};

const batchOf = (
  { seed, kind }: StageTask['spec'],
  augmentation: Partial<Hyperparameters>,
  split: Split,
  indices: Uint32Array,
  { epoch, step }: Position,
  steps: number,
): Batch => {
  const streamOf = (purpose: string): Random => createRandom(seed, kind, purpose, epoch, step);
  const drawn =
    (purpose: 'noise' | 'normal', draw: typeof uniformNoise): Batch['noise'] =>
    (shape) => {
      const size = shape.reduce((a, b) => a * b, indices.length);
      return tf.tensor(draw(streamOf(purpose), size), [indices.length, ...shape]);
    };
  let images: tf.Tensor | undefined; // a step may ask for the images twice
  return {
    indices,
    images: () => {
      images ??= isAugmenting(augmentation)
        ? tf.tensor(augment(gatherImages(split, indices), split.shape, augmentation, streamOf), [
            indices.length,
            ...split.shape,
          ])
        : imagesAt(split, indices);
      return images;
    },
    noise: drawn('noise', uniformNoise),
    normal: drawn('normal', normalNoise),
    update: epoch * steps + step + 1,
  };
};

/** The state of training as a checkpoint, or null where a weight is not finite. */
const captureCheckpoint = async (
  training: Training,
  position: Position,
  scalars: Scalars,
  epochSums: Scalars,
): Promise<Checkpoint | null> => {
  const blobs = new Map<string, Uint8Array>();
  const networks: CheckpointManifest['networks'] = { ...training.frozen };
  for (const [name, network] of Object.entries(training.networks)) {
    const stored = await storeNetwork(network);
    if (!stored.finite) return null;
    networks[name] = stored.manifest;
    blobs.set(stored.manifest.blob, stored.bytes);
  }
  const optimisers = Object.entries(training.optimisers);
  const moments = packTensors(await readTensors(optimisers.flatMap(([, { moments }]) => moments)));
  blobs.set(moments.blob, moments.bytes);
  const tensors = optimisers.flatMap(([name, { moments }]) =>
    moments.map((moment, i) => ({
      name: `${name}/${Math.floor(i / 2)}/${i % 2 === 0 ? 'm' : 'v'}`,
      shape: [...moment.shape],
    })),
  );
  const sums = Object.entries(epochSums).map(([name, sum]) => [sumPrefix + name, sum]);
  return {
    manifest: {
      position,
      networks,
      moments: { tensors, blob: moments.blob },
      scalars: { ...scalars, ...Object.fromEntries(sums) },
    },
    blobs,
  };
};
