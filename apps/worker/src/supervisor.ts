import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { claimStage, type Db, isTransient } from '@funnel/db';
import type { Tracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { createWarning, deferred, oneAtATime } from './async.ts';
import { type Attempt, newAttempt, stopAttempt } from './attempt.ts';
import type { TrainerIdentity } from './messages.ts';
import type { Cache } from './provide-dataset.ts';
import { runAttempt } from './run-attempt.ts';
import type { Slot } from './slot.ts';

/**
 * Wakes slots that wait for work. `wakeOne` wakes one slot; a slot that finds work wakes the next, so one signal is enough for all work. A
 * signal that comes while no slot waits is kept for the next slot that waits.
 */
export type WakeUpSignal = {
  readonly wakeOne: () => void;
  readonly wakeAll: () => void;
  /** Resolves at the next signal, or at once when one is kept. */
  readonly wait: () => Promise<void>;
};

export const createWakeUpSignal = (): WakeUpSignal => {
  const waiting = new Set<() => void>();
  let isKept = false;
  const wakeOne = (): void => {
    const [wake] = waiting;
    if (wake) wake();
    else isKept = true;
  };
  return {
    wakeOne,
    wakeAll: () => {
      for (const wake of [...waiting]) wake();
      isKept = true;
    },
    wait: () =>
      new Promise((resolve) => {
        if (isKept) {
          isKept = false;
          return resolve();
        }
        const wake = (): void => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      }),
  };
};

export type SupervisorOptions = {
  readonly db: Db;
  readonly wakeUp: WakeUpSignal;
  readonly slots: readonly Slot[];
  readonly workerId: string;
  readonly leaseSeconds: number;
  readonly maxAttempts: number;
  readonly identity: TrainerIdentity;
  readonly cache: Cache | null;
  readonly pollMilliseconds: number;
  /** Shared with the heartbeat and the watchdog. */
  readonly attempts: Set<Attempt>;
  readonly tracer: Tracer;
  readonly log: Logger;
};

export type Supervisor = {
  /** Rejects when a slot cannot work: no trainer starts, or the database refuses this worker. */
  readonly failed: Promise<never>;
  /** Claims nothing more, lets every trainer write a checkpoint, and releases all stages within `milliseconds`. */
  readonly drain: (milliseconds: number) => Promise<void>;
};

/** The last part of the time to drain, for killing trainers that did not stop and for the last writes. */
const reserveMilliseconds = 2000;

const maxPause = 60_000;
/** The pause after some faults in a row: 1, 2, 4, … s, at most a minute. */
const pauseAfter = (faults: number): number => Math.min(maxPause, 1000 * 2 ** (faults - 1));

/** Claims stages for its slots and runs them. A fault of one stage or slot does not affect the others. */
export const startSupervisor = (options: SupervisorOptions): Supervisor => {
  const { db, wakeUp, slots, workerId, identity, attempts, log } = options;
  const { leaseSeconds, maxAttempts, pollMilliseconds, tracer, cache } = options;
  const failure = deferred<never>();
  const warnOfClaim = createWarning(log, 'claim failed');
  let draining = false;

  /** Aborted by `drain`: ends the pauses of slots. */
  const drained = new AbortController();

  /** Stops an earlier attempt of the same stage. It lost its lease while this worker was suspended, and the worker does not know this yet. */
  const abandonEarlier = (stageId: string): void => {
    for (const attempt of attempts)
      if (attempt.claimed.spec.id === stageId) void stopAttempt(attempt, 'lost', 0);
  };

  /** True after a claim that got no answer. The database may have committed it. */
  let isUnanswered = false;

  /** Resolves to null when there is no work, or the database cannot be reached. Throws every other error. */
  const claim = async (): Promise<Attempt | null> => {
    const known = isUnanswered ? [...attempts].map((attempt) => attempt.claimed.stageId) : undefined;
    try {
      const claimed = await claimStage(db, { workerId, leaseSeconds, ...identity, known });
      isUnanswered = false;
      if (!claimed) return null;
      abandonEarlier(claimed.stageId);
      const attempt = newAttempt(claimed);
      attempts.add(attempt);
      return attempt;
    } catch (error) {
      if (!isTransient(error)) throw error;
      isUnanswered = true;
      warnOfClaim(error);
      return null;
    }
  };

  // One claim at a time, so that a claim after an unanswered one knows the stages of all slots.
  const claimInTurn = oneAtATime(claim);

  /** Claims a stage and runs it. Resolves to true when the database accepted all its writes. */
  const runOne = async (slot: Slot): Promise<boolean> => {
    const attempt = await claimInTurn();
    if (!attempt) {
      if (!draining) await wakeUp.wait();
      return true;
    }
    wakeUp.wakeOne();
    if (draining) attempt.stopping = 'drain';
    const context = { db, cache, maxAttempts, tracer, log };
    const isWritten = await runAttempt(context, attempt, slot.trainer).finally(() =>
      attempts.delete(attempt),
    );
    await slot.tidy();
    return isWritten;
  };

  /** Runs stage after stage. After an unexpected error the slot pauses; the pause grows with each error in a row. */
  const serveSlot = async (slot: Slot): Promise<void> => {
    let faults = 0;
    while (!draining) {
      // The slot claims no stage before its trainer is ready.
      await slot.trainer();
      if (draining) return;
      const isWritten = await runOne(slot).catch((error: unknown) => {
        if (error instanceof AppError) throw error;
        log.error({ err: error }, 'claim failed');
        return false;
      });
      faults = isWritten ? 0 : faults + 1;
      if (faults > 0) await sleep(pauseAfter(faults), undefined, { signal: drained.signal }).catch(() => {});
    }
  };

  const poll = setInterval(() => wakeUp.wakeOne(), pollMilliseconds * (0.8 + 0.4 * Math.random()));
  const working = Promise.all(
    slots.map((slot) =>
      serveSlot(slot).catch((error: unknown) => {
        if (!draining) failure.reject(error);
      }),
    ),
  );

  return {
    failed: failure.promise,
    drain: async (milliseconds) => {
      draining = true;
      drained.abort();
      clearInterval(poll);
      wakeUp.wakeAll();
      const grace = Math.max(0, milliseconds - reserveMilliseconds);
      const deadline = setTimeout(() => {
        for (const attempt of attempts) attempt.abandon.abort();
      }, milliseconds);
      await Promise.all([...attempts].map((attempt) => stopAttempt(attempt, 'drain', grace)));
      await Promise.all(slots.map((slot) => slot.close()));
      await working;
      clearTimeout(deadline);
    },
  };
};
