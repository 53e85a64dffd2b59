import { type Position, type Usage, within } from '@funnel/contracts';
import type { ClaimedStage } from '@funnel/db';
import { type Deferred, deferred } from './async.ts';
import type { Trainer } from './trainer-process.ts';

/**
 * Why an attempt is stopped before its stage is done.
 * `lost`: another attempt has the stage. `cancel`: the stage was cancelled. After either, the worker writes nothing more.
 * `hung`: no progress for too long. `refused`: the database refused a write. Both are failures.
 * `drain` (the worker stops, or the database was upgraded) and `pause` release the stage without spending an attempt.
 */
export type StopReason = 'drain' | 'pause' | 'cancel' | 'hung' | 'refused' | 'lost';

/** One try of a stage by this worker, from its claim to its last write. Its fields change while it runs. */
export type Attempt = {
  readonly claimed: ClaimedStage;
  /** Null until the trainer has started. */
  trainer: Trainer | null;
  position: Position | null;
  imagesPerSecond: number | null;
  /** From the last message of the trainer; null before it. */
  usage: Usage | null;
  /** Number of checkpoints that are being written. An attempt that waits for the database does not hang. */
  saving: number;
  /** Milliseconds without progress; the watchdog counts them. */
  idleMilliseconds: number;
  /** True after its first progress. Before it, the trainer loads data and compiles kernels. */
  moved: boolean;
  stopping: StopReason | null;
  /** The error of the database, where `stopping` is `refused`. */
  refusal: unknown;
  /** Aborted when nothing more may be written: the lease is lost, or the worker's time to stop is over. */
  readonly abandon: AbortController;
  /** Resolves when the trainer no longer works on this attempt. The trainer may then run another stage. */
  readonly ended: Deferred<void>;
  hasEnded: boolean;
};

export const newAttempt = (claimed: ClaimedStage): Attempt => ({
  claimed,
  trainer: null,
  position: null,
  imagesPerSecond: null,
  usage: null,
  saving: 0,
  idleMilliseconds: 0,
  moved: false,
  stopping: null,
  refusal: null,
  abandon: new AbortController(),
  ended: deferred(),
  hasEnded: false,
});

/** Notes that the attempt's trainer no longer works on it. */
export const noteEnd = (attempt: Attempt): void => {
  attempt.hasEnded = true;
  attempt.ended.resolve();
};

export const noteProgress = (attempt: Attempt): void => {
  attempt.idleMilliseconds = 0;
  attempt.moved = true;
};

/** SIGTERM ends a trainer even while a step blocks it, because trainers have no handler. SIGKILL also ends a suspended trainer. */
export const killTrainer = async (trainer: Trainer): Promise<void> => {
  trainer.kill('SIGTERM');
  if (await within(1000, trainer.gone)) return;
  trainer.kill('SIGKILL');
  await trainer.gone;
};

/**
 * Stops an attempt in three steps: asks for a checkpoint, waits `graceMilliseconds` for it, then ends the process. Resolves when the trainer
 * no longer works on the stage: at once if the attempt has already ended. `lost` and `cancel` replace an earlier reason.
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
  if (graceMilliseconds > 0 && (await within(graceMilliseconds, ended.promise))) return;
  await killTrainer(trainer);
};

/** Milliseconds between two checks of the watchdog. */
export const watchMilliseconds = 1000;

/** The first progress may take this many times the limit, because the trainer loads data and compiles kernels first. */
const firstStepAllowance = 2;

/**
 * Counts how long each attempt has made no progress. Each check adds two intervals at most, so a worker that was suspended, or a clock that
 * jumped, makes no attempt look hung.
 */
export const createWatchdog = (hangMilliseconds: number, now: () => number = () => performance.now()) => {
  let last = now();
  return {
    /** Counts the time since the last check, and returns the attempts beyond the limit. */
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
