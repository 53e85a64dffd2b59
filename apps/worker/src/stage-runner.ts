import type { Position } from '@funnel/contracts';
import type { Checkpoint, StageEnd, StageTask, TrainerIdentity } from './messages.ts';

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
