/**
 * What a worker and its trainers say to each other over IPC (structured clone: Maps and Uint8Arrays arrive as such). A trainer runs one
 * stage at a time; `run` numbers the runs, so that a late word about an earlier one is known as such.
 */
import type { CheckpointManifest, Position, StageSpec } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';
import type { DataPlaces } from '@funnel/engine';
import type { SimulationOptions } from './simulated-faults.ts';

/** Where training starts: blobs are those that the manifest names. */
export type StageStart = {
  readonly manifest: CheckpointManifest;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** True: a checkpoint of the stage's own chain, to continue from. False: the parent's result, whose networks it builds on. */
  readonly sameChain: boolean;
};

/** The final state of another classifier, with the blobs that it names. */
export type Surrogate = Omit<StageStart, 'sameChain'>;

export type StageTask = {
  readonly spec: StageSpec;
  readonly start: StageStart | null;
  /** What a transfer attack makes its images on; empty for every other stage. */
  readonly surrogates: readonly Surrogate[];
};

export type Checkpoint = {
  readonly manifest: CheckpointManifest;
  /** Every blob that the manifest names and that the run did not start with. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
};

/** `stopped`: it was asked to; what it had trained is in its last checkpoint. */
export type StageEnd =
  | { readonly status: 'completed'; readonly evaluation: EvaluationWrite | null }
  | { readonly status: 'diverged' | 'collapsed'; readonly message: string }
  | { readonly status: 'stopped' }
  | { readonly status: 'failed'; readonly code: string; readonly message: string; readonly stack: string };

export type TrainerSetup = {
  /** Where data sets are looked for, before the usual places. */
  readonly places: DataPlaces;
  /** A backend's name, or `auto`. */
  readonly backend: string;
  /** Pseudo training with known outcomes instead of tfjs. */
  readonly simulation: SimulationOptions | null;
};

export type TrainerIdentity = {
  readonly backend: string;
  readonly device: string;
  readonly engineVersion: string;
};

export type ToTrainer =
  | { readonly type: 'setup'; readonly setup: TrainerSetup }
  | { readonly type: 'run'; readonly run: number; readonly task: StageTask }
  | { readonly type: 'stop'; readonly run: number }
  | { readonly type: 'saved'; readonly run: number; readonly checkpoint: number };

export type FromTrainer =
  | { readonly type: 'ready'; readonly identity: TrainerIdentity }
  | { readonly type: 'unusable'; readonly code: string; readonly message: string }
  | {
      readonly type: 'progress';
      readonly run: number;
      readonly position: Position | null;
      readonly imagesPerSecond: number | null;
      readonly memoryBytes: number;
    }
  | {
      readonly type: 'checkpoint';
      readonly run: number;
      readonly checkpoint: number;
      readonly state: Checkpoint;
      readonly metrics: Readonly<Record<string, number | null>> | null;
    }
  | { readonly type: 'ended'; readonly run: number; readonly end: StageEnd; readonly memoryBytes: number };

export type StageHooks = {
  /** Aborted: train on to the end of the step, hand over a checkpoint, and end as `stopped`. */
  readonly signal: AbortSignal;
  /** `metrics` at the end of an epoch, null in the middle of one. Resolves when training may go on. */
  readonly onCheckpoint: (
    checkpoint: Checkpoint,
    metrics: Readonly<Record<string, number | null>> | null,
  ) => Promise<void>;
  readonly onProgress: (progress: { position: Position | null; imagesPerSecond: number | null }) => void;
};

/** Runs stages of every kind, one at a time. What it throws fails the attempt. */
export type StageRunner = {
  readonly identity: TrainerIdentity;
  readonly run: (task: StageTask, hooks: StageHooks) => Promise<StageEnd>;
};
