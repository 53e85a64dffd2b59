/**
 * The messages between a worker and its trainers over IPC (structured clone, which keeps Maps and Uint8Arrays). A trainer runs one stage at a
 * time. `run` numbers the runs, so that a late message about an earlier run can be ignored.
 */
import type { CheckpointManifest, CleanCounts, Position, StageSpec, Usage } from '@funnel/contracts';
import type { EvaluationWrite } from '@funnel/db';
import type { DataFolders } from '@funnel/engine';
import type { SimulationOptions } from './simulated-faults.ts';

/** The checkpoint that a stage starts from. `blobs` has all blobs that the manifest names, by their SHA-256. */
export type StageStart = {
  readonly manifest: CheckpointManifest;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** True: the stage continues from a checkpoint of its own chain. False: it builds on the networks of its parent's result. */
  readonly sameChain: boolean;
};

/** The final state of another classifier, with the blobs that it names. */
export type Surrogate = Omit<StageStart, 'sameChain'>;

export type StageTask = {
  readonly spec: StageSpec;
  readonly start: StageStart | null;
  /** The classifiers on which a transfer attack makes its images. Empty for all other stages. */
  readonly surrogates: readonly Surrogate[];
};

export type Checkpoint = {
  readonly manifest: CheckpointManifest;
  /** The blobs that the manifest names, except for the blobs with which the run started. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
};

/** `stopped`: the supervisor asked for a stop; the last checkpoint has the training so far. */
export type StageEnd =
  | { readonly status: 'completed'; readonly evaluation: EvaluationWrite | null }
  | { readonly status: 'diverged' | 'collapsed'; readonly message: string }
  | { readonly status: 'stopped' }
  | { readonly status: 'failed'; readonly code: string; readonly message: string; readonly stack: string };

export type TrainerSetup = {
  /** Where to look for data sets. */
  readonly folders: DataFolders;
  /** A backend's name, or `auto`. */
  readonly backend: string;
  /** Simulated training instead of tfjs. */
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
      readonly usage: Usage;
    }
  | {
      readonly type: 'checkpoint';
      readonly run: number;
      readonly checkpoint: number;
      readonly state: Checkpoint;
      readonly metrics: Readonly<Record<string, number | null>> | null;
      readonly perClass: CleanCounts | null;
      readonly usage: Usage;
    }
  | {
      readonly type: 'ended';
      readonly run: number;
      readonly end: StageEnd;
      readonly memoryBytes: number;
      readonly usage: Usage;
    };

export type StageHooks = {
  /** When aborted: finish the step, send a checkpoint, and end as `stopped`. */
  readonly signal: AbortSignal;
  /**
   * `metrics`: the metrics of an epoch at its end; null within an epoch. `perClass`: the clean test images of each class at the end of an
   * epoch of a classifier; else null. Resolves when training may go on.
   */
  readonly onCheckpoint: (
    checkpoint: Checkpoint,
    metrics: Readonly<Record<string, number | null>> | null,
    perClass: CleanCounts | null,
  ) => Promise<void>;
  readonly onProgress: (progress: { position: Position | null; imagesPerSecond: number | null }) => void;
};

/** Runs stages of every kind, one at a time. When it throws, the attempt fails. */
export type StageRunner = {
  readonly identity: TrainerIdentity;
  readonly run: (task: StageTask, hooks: StageHooks) => Promise<StageEnd>;
};
