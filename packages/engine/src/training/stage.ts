import {
  type CheckpointManifest,
  type HyperparameterName,
  type Hyperparameters,
  hyperparameters,
  type NetworkManifest,
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
import type { Measured } from './measure.ts';
import type { Progress } from './train.ts';

/** Adam (Kingma & Ba, 2015) over some weights. */
export type Adam = {
  readonly weights: readonly tf.Variable[];
  /** First and second moment of each weight: m₀, v₀, m₁, v₁, … */
  readonly moments: readonly tf.Variable[];
  /** One update. `t` counts them from 1: the only state besides the moments. */
  readonly update: (gradients: readonly tf.Tensor[], t: number) => void;
  readonly dispose: () => void;
};

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-7;

/** `moments` continues a run; without it they are 0. */
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
    const step = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
    for (const [i, weight] of weights.entries())
      adamStep(weight, gradients[i]!, [state[2 * i]!, state[2 * i + 1]!], {
        beta1,
        beta2,
        epsilon,
        rate: step,
      });
  };
  return { weights, moments: state, update, dispose: () => tf.dispose(state) };
};

type Outputs = Readonly<Record<string, tf.Tensor>>;

/** Keeps a tensor until the gradients are computed: what a node needs only on the way back. */
export type Hold = <T extends tf.Tensor>(tensor: T) => T;

/**
 * Runs `forward` once and lets every player step down the gradient of its `loss` with respect to its own weights. Update number `t`
 * (from 1). Answers the other tensors that `forward` returned, owned by the caller's tidy.
 */
export const descend = <T extends Outputs>(
  players: readonly Adam[],
  t: number,
  forward: (hold: Hold) => { readonly loss: tf.Scalar } & T,
): Omit<T, 'loss'> => {
  const weights = players.flatMap((player) => player.weights);
  const held: tf.Tensor[] = [];
  const hold: Hold = (tensor) => {
    held.push(tf.keep(tensor));
    return tensor;
  };
  let kept: [string, tf.Tensor][] = [];
  const { grads, value } = tf.variableGrads(() => {
    const { loss, ...outputs } = forward(hold);
    kept = Object.entries(outputs).map(([name, tensor]) => [name, hold(tf.clone(tensor))]);
    return loss;
  }, weights as tf.Variable[]);
  for (const player of players) {
    const gradients = player.weights.map((weight) => grads[weight.name]!);
    player.update(gradients, t);
  }
  const outputs = Object.fromEntries(kept.map(([name, tensor]) => [name, tf.clone(tensor)]));
  tf.dispose([value, grads, ...held]);
  return outputs as Omit<T, 'loss'>; // the same names with tensors of the same shapes
};

/** What a stage of training is given, and what it says it does. `train.ts` does it. */

/** Where training starts: a checkpoint of the stage's own chain to continue from, or its parent's result to build on. */
export type StageStart = {
  readonly manifest: CheckpointManifest;
  readonly blobs: Blobs;
  readonly sameChain: boolean;
};

export type StageTask = { readonly spec: StageSpec; readonly start: StageStart | null };

/** One batch of one epoch. Tensors belong to the step's tidy. */
export type Batch = {
  /** Which training images: their places in the data set. */
  readonly rows: Uint32Array;
  /** The images, [batch, height, width, channels] in [0, 1]. */
  readonly images: () => tf.Tensor;
  /** Uniform in [−1, 1), of the shape [batch, …shape]: drawn for this step alone. */
  readonly noise: (shape: readonly number[]) => tf.Tensor;
  /** Standard normal, of the shape [batch, …shape]: likewise, from a stream of its own. */
  readonly normal: (shape: readonly number[]) => tf.Tensor;
  /** Number of the update, from 1 at the stage's first step. */
  readonly update: number;
};

/** A stage, set up: what learns, how a step goes, what is kept. */
export type Training = {
  /** Networks that every checkpoint stores, by name. */
  readonly networks: Readonly<Record<string, Network>>;
  /** Networks that came with the start and do not change: checkpoints name them by the blob that they have. */
  readonly frozen: Readonly<Record<string, NetworkManifest>>;
  /** Who learns, by name: their moments are stored too. */
  readonly players: Readonly<Record<string, Adam>>;
  /** The images that it trains on, where it holds some of the training images out. */
  readonly split?: Split;
  /** One update. Runs inside a tidy; answers the metrics of the batch, scalars. */
  readonly step: (batch: Batch) => Measured;
  /** Metrics that are measured once an epoch. */
  readonly afterEpoch?: () => Promise<Partial<Record<TrainingMetricName, number>>>;
  /** Numbers that checkpoints carry for later stages, from the metrics of the epoch that ended. */
  readonly scalars?: (metrics: Readonly<Record<string, number>>) => Readonly<Record<string, number>>;
  /** Auto-encoders of the start (`x`: networks `x-encoder` and `x-generator`) on which the stage has no business once they ignore their input. */
  readonly standsOn: readonly string[];
  /** Auto-encoders of the result that must not ignore their input. */
  readonly makes: readonly string[];
};

/** What a recipe's stage is handed to set itself up. `K`: the hyperparameters that its kind of stage reads, and no others. */
export type Setup<K = Partial<Hyperparameters>> = {
  readonly hyperparameters: K;
  readonly start: StageStart | null;
  /** One image, [height, width, channels]. */
  readonly image: readonly [number, number, number];
  readonly classes: number;
  readonly train: Split;
  readonly test: () => Promise<Split>;
  readonly signal: AbortSignal;
  /** The network of that name from the start; where the start has none, a fresh one, whose last bias is `outputBias` (0 unless given). */
  readonly network: (name: string, fresh?: Architecture, outputBias?: number) => Network;
  /** Networks of the start as checkpoints go on to name them. */
  readonly frozen: (...names: readonly string[]) => Readonly<Record<string, NetworkManifest>>;
  /** The optimiser of that name over these weights; continues with the start's moments. */
  readonly player: (name: string, networks: readonly Network[], rate: number) => Adam;
};

export type StageRecipe<K> = (setup: Setup<K>) => Promise<Training>;

export type StageHooks = {
  /** Aborted: the step that runs is finished, its state handed over, and the stage ends as `stopped`. */
  readonly signal: AbortSignal;
  /** `metrics` at the end of an epoch, null in the middle of one. Training goes on when it resolves. */
  readonly onCheckpoint: (
    checkpoint: Checkpoint,
    metrics: Readonly<Record<string, number>> | null,
  ) => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
};

/** `diverged` and `collapsed` are results: the same inputs would end so again. */
export type StageOutcome =
  | { readonly status: 'completed' }
  | { readonly status: 'diverged' | 'collapsed'; readonly message: string }
  | { readonly status: 'stopped' };

/** Which hyperparameters a stage of a recipe may read, as types: reading one that it does not declare does not compile. */

type Declared<R extends RecipeName> = (typeof recipes)[R]['stages'][number];

/** The kinds of training stage that a recipe has. */
export type KindsOf<R extends RecipeName> = Declared<R>['kind'];

/** The hyperparameters that the stage of kind `K` of recipe `R` declares to read. */
export type StageHyperparameters<R extends RecipeName, K extends KindsOf<R>> = Pick<
  Hyperparameters,
  Extract<Declared<R>, { kind: K }>['reads'][number]
>;

/** The hyperparameters of a stage, checked. Throws where one is missing, out of range, or not among those that the stage declares. */
export const readHyperparameters = (spec: StageSpec): Partial<Hyperparameters> => {
  const stages: Recipe['stages'] = recipes[spec.recipe].stages;
  const declared = stages.find((stage) => stage.kind === spec.kind);
  if (declared === undefined)
    throw new Error(`Expected a stage of recipe ${spec.recipe}, but got ${spec.kind}`);
  const reads: readonly HyperparameterName[] = declared.reads;
  const required = Object.fromEntries(reads.map((name) => [name, hyperparameters[name].unwrap()]));
  return z.strictObject(required).parse(spec.hyperparameters) as Partial<Hyperparameters>; // the keys are `reads`
};
