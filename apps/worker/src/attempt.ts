import type { Position } from '@funnel/contracts';
import type { ClaimedStage } from '@funnel/db';
import { type Deferred, deferred } from './deferred.ts';
import type { Trainer } from './trainer-process.ts';

/**
 * Why an attempt is being ended before its stage is. `lost`: the lease is somebody else's; `cancel`: the stage has ended: of neither is
 * anything written any more. `hung`: no progress for too long; `refused`: the database would not take what it wrote: both are failures.
 * `drain` (also: an upgrade of the database) and `pause` hand the stage back and cost no attempt.
 */
export type StopReason = 'drain' | 'pause' | 'cancel' | 'hung' | 'refused' | 'lost';

/** One try of a stage by this worker, from claim to the last write. Its fields change as it goes. */
export type Attempt = {
  readonly claimed: ClaimedStage;
  /** Null until its trainer has been told. */
  trainer: Trainer | null;
  position: Position | null;
  imagesPerSecond: number | null;
  /** Checkpoints on their way to the database: waiting for it is not hanging. */
  saving: number;
  /** Milliseconds without progress, as counted by the watchdog. */
  idleMilliseconds: number;
  /** True after its first progress: before it, data is loaded and kernels compiled. */
  moved: boolean;
  stopping: StopReason | null;
  /** Why it was `refused`. */
  refusal: unknown;
  /** Aborted when nothing more may be written: the lease is lost, or the worker gives up. */
  readonly abandon: AbortController;
  /** Settles when its trainer no longer works on it: from then on the trainer may be at another stage. */
  readonly ended: Deferred<void>;
  hasEnded: boolean;
};

export const newAttempt = (claimed: ClaimedStage): Attempt => ({
  claimed,
  trainer: null,
  position: null,
  imagesPerSecond: null,
  saving: 0,
  idleMilliseconds: 0,
  moved: false,
  stopping: null,
  refusal: null,
  abandon: new AbortController(),
  ended: deferred(),
  hasEnded: false,
});

/** Its trainer no longer works on it. */
export const noteEnd = (attempt: Attempt): void => {
  attempt.hasEnded = true;
  attempt.ended.resolve();
};

export const noteProgress = (attempt: Attempt): void => {
  attempt.idleMilliseconds = 0;
  attempt.moved = true;
};
