/**
 * The interface of a recipe: its input (`Setup`, `Batch`), its answer (`Training`), and the optimiser that it uses. `train.ts` runs the
 * recipe.
 */
import {
  type CheckpointManifest,
  type CleanCounts,
  type HyperparameterName,
  type Hyperparameters,
  hyperparameters,
  type NetworkManifest,
  type Position,
  type Recipe,
  type RecipeName,
  recipes,
  type StageSpec,
  type TrainingMetricName,
} from '@funnel/contracts';
import { adamStep } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { Blobs, Checkpoint } from '../checkpoint.ts';
import type { Split } from '../datasets/split.ts';
import type { Architecture } from '../models/architecture.ts';
import type { Network } from '../models/network.ts';
import { whileDescending } from '../models/normalisation.ts';

/** Where training starts: a checkpoint of the stage's own chain to continue from, or its parent's result to build on. */
export type StageStart = {
  readonly manifest: CheckpointManifest;
  readonly blobs: Blobs;
  /** True for a checkpoint of the stage's own chain. */
  readonly sameChain: boolean;
};

export type StageTask = { readonly spec: StageSpec; readonly start: StageStart | null };

type Declared<R extends RecipeName> = (typeof recipes)[R]['stages'][number];

/** The kinds of training stage that a recipe has. */
export type KindsOf<R extends RecipeName> = Declared<R>['kind'];

/** The hyperparameters that the stage of kind `K` of recipe `R` declares to read. Reading another one does not compile. */
export type StageHyperparameters<R extends RecipeName, K extends KindsOf<R>> = Pick<
  Hyperparameters,
  Extract<Declared<R>, { kind: K }>['reads'][number]
>;

/** The hyperparameters of a stage, checked. Throws where one is missing, is out of range, or is not declared by the stage. */
export const readHyperparameters = (spec: StageSpec): Partial<Hyperparameters> => {
  const stages: Recipe['stages'] = recipes[spec.recipe].stages;
  const declared = stages.find((stage) => stage.kind === spec.kind);
  if (declared === undefined)
    throw new Error(`Expected a stage of recipe ${spec.recipe}, but got ${spec.kind}`);
  const reads: readonly HyperparameterName[] = declared.reads;
  return z
    .strictObject(Object.fromEntries(reads.map((name) => [name, schemaOf(name)])))
    .parse(spec.hyperparameters) as Partial<Hyperparameters>; // the keys are `reads`
};

/** A specification has every hyperparameter of 0.1.0. It leaves out one that came later while it has its default (decision 18). */
const schemaOf = (name: HyperparameterName): z.ZodType => {
  const schema = hyperparameters[name];
  return schema.meta()?.since === undefined ? schema.unwrap() : schema;
};

/** The input from which a recipe builds a stage. `H`: the hyperparameters that this kind of stage reads. */
export type Setup<H = Partial<Hyperparameters>> = {
  readonly hyperparameters: H;
  readonly start: StageStart | null;
  /** The shape of one image, [height, width, channels]. */
  readonly image: readonly [number, number, number];
  readonly classes: number;
  readonly train: Split;
  readonly test: () => Promise<Split>;
  readonly signal: AbortSignal;
  /**
   * What a network that this stage does not train gives for the images of each batch. Computed once for the whole split, unless the images
   * change from epoch to epoch.
   */
  readonly outputsOf: (network: Network) => Promise<(batch: Batch) => tf.Tensor>;
  /**
   * The network `name` of the start. Where the start has none, a new one of the architecture `fresh`, whose last bias is `outputBias`
   * (0 unless given). Throws where the start has none and `fresh` is not given.
   */
  readonly network: (name: string, fresh?: Architecture, outputBias?: number) => Network;
  /** The manifests of networks of the start that this stage does not change. */
  readonly frozen: (...names: readonly string[]) => Readonly<Record<string, NetworkManifest>>;
  /** An optimiser over the weights of `networks`. It continues with the start's moments where the start is of the same chain. */
  readonly optimiser: (name: string, networks: readonly Network[], rate: number) => Adam;
};

/** One batch of one epoch. The tensors belong to the tidy of the step. */
export type Batch = {
  /** The indices of the batch's images in the split, [batch]. */
  readonly indices: Uint32Array;
  /** The images, augmented, [batch, height, width, channels] in [0, 1]. */
  readonly images: () => tf.Tensor;
  /** Uniform in [−1, 1), [batch, …shape], drawn for this step alone. */
  readonly noise: (shape: readonly number[]) => tf.Tensor;
  /** Standard normal, [batch, …shape], drawn for this step alone, from another stream than `noise`. */
  readonly normal: (shape: readonly number[]) => tf.Tensor;
  /** The number of the update, counted from 1 at the first step of the stage. */
  readonly update: number;
};

/** Metrics of one batch, scalars. */
export type BatchMetrics = Readonly<Partial<Record<TrainingMetricName, tf.Tensor>>>;

/** A stage that is ready to train. An auto-encoder `x` is the pair of networks `x-encoder` and `x-generator`. */
export type Training = {
  /** Networks that every checkpoint stores, by name. */
  readonly networks: Readonly<Record<string, Network>>;
  /** Networks of the start that do not change. Checkpoints refer to their blobs. */
  readonly frozen: Readonly<Record<string, NetworkManifest>>;
  /** Optimisers by name. Every checkpoint stores their moments, in this order. */
  readonly optimisers: Readonly<Record<string, Adam>>;
  /** The images to train on, where the recipe holds some of the training images out. */
  readonly split?: Split;
  /** One update. Runs inside a tidy. */
  readonly step: (batch: Batch) => BatchMetrics;
  /** Measures once an epoch: metrics, and for a classifier its clean accuracy per class. */
  readonly afterEpoch?: () => Promise<
    Partial<Record<TrainingMetricName, number>> & { readonly perClass?: CleanCounts }
  >;
  /** Numbers that checkpoints keep for later stages, computed from the metrics of the epoch that ended. */
  readonly scalars?: (metrics: Readonly<Record<string, number>>) => Readonly<Record<string, number>>;
  /** Auto-encoders of the start that the stage depends on. Where one of them ignores its input, the stage ends as `collapsed` at once. */
  readonly dependsOnAutoEncoders?: readonly string[];
  /** Auto-encoders that the stage produces. Where one of them ignores its input, the stage ends as `collapsed`. */
  readonly producesAutoEncoders?: readonly string[];
};

/** Sets a stage up: builds networks and optimisers, and answers how they train. */
export type StageRecipe<H> = (setup: Setup<H>) => Promise<Training>;

export type Progress = {
  /** Epochs and steps that are done. */
  readonly position: Position;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Measured since the last report. */
  readonly imagesPerSecond: number;
};

export type StageHooks = {
  /** When it is aborted, the stage finishes the current step, hands its state over as a checkpoint and ends as `stopped`. */
  readonly signal: AbortSignal;
  /**
   * `metrics`: of the epoch that ended; null in the middle of one. `perClass`: the clean test images of each class, at the end of an epoch of
   * a classifier; else null. Training goes on when the promise resolves.
   */
  readonly onCheckpoint: (
    checkpoint: Checkpoint,
    metrics: Readonly<Record<string, number>> | null,
    perClass: CleanCounts | null,
  ) => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
};

/** `diverged` and `collapsed` are results: the same inputs end in the same way again. */
export type StageOutcome =
  | { readonly status: 'completed' }
  | { readonly status: 'diverged' | 'collapsed'; readonly message: string }
  | { readonly status: 'stopped' };

/** Adam (Kingma & Ba, 2015) over some weights. */
export type Adam = {
  readonly weights: readonly tf.Variable[];
  /** First and second moment of each weight: m₀, v₀, m₁, v₁, … */
  readonly moments: readonly tf.Variable[];
  /** One update. `t` counts updates from 1. Adam has no other state than `t` and the moments. */
  readonly update: (gradients: readonly tf.Tensor[], t: number) => void;
  readonly dispose: () => void;
};

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-7;

/** Adam with learning rate `rate`. `moments` continues a run; without it all moments are 0. */
export const createAdam = (
  weights: readonly tf.Variable[],
  rate: number,
  moments?: readonly Float32Array[],
): Adam => {
  const state = weights.flatMap((weight, i) =>
    [0, 1].map((k) => {
      const values = moments?.[2 * i + k];
      return tf.tidy(() => tf.variable(values ? tf.tensor(values, weight.shape) : tf.zerosLike(weight)));
    }),
  );
  const update = (gradients: readonly tf.Tensor[], t: number): void => {
    const rates = { beta1, beta2, epsilon, rate: (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t) };
    for (const [i, weight] of weights.entries())
      adamStep(weight, gradients[i]!, [state[2 * i]!, state[2 * i + 1]!], rates);
  };
  return { weights, moments: state, update, dispose: () => tf.dispose(state) };
};

/** Keeps a tensor of the forward pass until the backward pass has ended. */
export type Keep = <T extends tf.Tensor>(tensor: T) => T;

/**
 * Runs `forward` once, in which the networks of the optimisers normalise with the statistics of the batch. Then every optimiser makes update
 * number `t` (from 1) along the gradient of `loss` with respect to its own weights. Answers the other tensors that `forward` returned; they
 * belong to the caller's tidy.
 */
export const descend = <T extends Readonly<Record<string, tf.Tensor>>>(
  optimisers: readonly Adam[],
  t: number,
  forward: (keep: Keep) => { readonly loss: tf.Scalar } & T,
): Omit<T, 'loss'> => {
  const weights = optimisers.flatMap((optimiser) => optimiser.weights);
  const kept: tf.Tensor[] = [];
  const keep: Keep = (tensor) => {
    kept.push(tf.keep(tensor));
    return tensor;
  };
  let returned: [string, tf.Tensor][] = [];
  const { grads, value } = tf.variableGrads(() => {
    const { loss, ...outputs } = whileDescending(weights, () => forward(keep));
    returned = Object.entries(outputs).map(([name, tensor]) => [name, keep(tf.clone(tensor))]);
    return loss;
  }, weights as tf.Variable[]);
  for (const optimiser of optimisers)
    optimiser.update(
      optimiser.weights.map((weight) => grads[weight.name]!),
      t,
    );
  const outputs = Object.fromEntries(returned.map(([name, tensor]) => [name, tf.clone(tensor)]));
  tf.dispose([value, grads, ...kept]);
  return outputs as Omit<T, 'loss'>; // the same names with tensors of the same shapes
};
