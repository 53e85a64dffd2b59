import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '@funnel/contracts';
import type { ClaimedStage } from '@funnel/db';
import { type Deferred, deferred } from './async.ts';
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

const within = async (event: Promise<unknown>, milliseconds: number): Promise<boolean> => {
  const timer = new AbortController();
  const late = sleep(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const won = await Promise.race([event.then(() => true), late]);
  timer.abort();
  return won;
};

/** SIGTERM ends a trainer even while a step blocks it (it has no handler for it); SIGKILL ends one that is stopped or stuck in the system. */
export const killTrainer = async (trainer: Trainer): Promise<void> => {
  trainer.kill('SIGTERM');
  if (await within(trainer.gone, 1000)) return;
  trainer.kill('SIGKILL');
  await trainer.gone;
};

/**
 * The kill ladder: ask for a checkpoint, wait `graceMilliseconds` for it, then end the process. Resolves when the trainer no longer
 * works on the stage, at once where it has ended by itself. A lost lease overrides a request to stop.
 */
export const stopAttempt = async (
  attempt: Attempt,
  reason: StopReason,
  graceMilliseconds: number,
): Promise<void> => {
  if (attempt.hasEnded) return;
  if (reason === 'lost' || reason === 'cancel') attempt.abandon.abort();
  else if (attempt.stopping) return;
  attempt.stopping = reason;
  const { trainer, ended } = attempt;
  if (!trainer) return;
  trainer.stop();
  if (graceMilliseconds > 0 && (await within(ended.promise, graceMilliseconds))) return;
  await killTrainer(trainer);
};

/** Milliseconds between two looks of the watchdog. A look costs nothing; the limits are minutes. */
export const watchMilliseconds = 1000;

/** Loading data and compiling kernels may take this many times as long as a step. */
const firstStepAllowance = 2;

/**
 * Counts how long each attempt has made no progress and names those beyond the limit. It counts its own looks, each for at most two
 * intervals: a worker that was stopped, or a clock that jumped, ages nobody.
 */
export const createWatchdog = (hangMilliseconds: number, now: () => number = () => performance.now()) => {
  let last = now();
  return {
    /** Attempts that are beyond the limit now. */
    findHung: (attempts: Iterable<Attempt>): Attempt[] => {
      const elapsed = Math.min(now() - last, 2 * watchMilliseconds);
      last = now();
      const hung: Attempt[] = [];
      for (const attempt of attempts) {
        if (attempt.stopping || attempt.saving > 0 || !attempt.trainer) continue;
        attempt.idleMilliseconds += elapsed;
        const limit = attempt.moved ? hangMilliseconds : firstStepAllowance * hangMilliseconds;
        if (attempt.idleMilliseconds > limit) hung.push(attempt);
      }
      return hung;
    },
  };
};
