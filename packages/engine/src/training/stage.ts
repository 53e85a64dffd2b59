/** What a stage of training is given, and what it says it does. `train.ts` does it. */
import type {
  CheckpointManifest,
  Hyperparameters,
  NetworkManifest,
  StageSpec,
  TrainingMetricName,
} from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';
import type { Blobs, Checkpoint } from '../checkpoint.ts';
import type { Split } from '../datasets/split.ts';
import type { Architecture } from '../models/architecture.ts';
import type { Network } from '../models/network.ts';
import type { Adam } from './adam.ts';
import type { Measured } from './meter.ts';
import type { Progress } from './progress.ts';

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
