import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import { type ClaimedStage, claimStage, type Db, isTransient } from '@funnel/db';
import type { Tracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { deferred } from './async.ts';
import { type Attempt, newAttempt, stopAttempt } from './attempt.ts';
import type { TrainerIdentity } from './messages.ts';
import { runAttempt } from './run-attempt.ts';
import type { Slot } from './slot.ts';

/**
 * Wakes slots that wait for work. A ring wakes one; whoever finds work rings again, so one ring drains all there is. A ring that comes
 * while nobody waits is kept: the next one to wait returns at once.
 */
export type WakeUpSignal = {
  readonly wakeOne: () => void;
  readonly wakeAll: () => void;
  /** Resolves when it is woken. */
  readonly wait: () => Promise<void>;
};

export const createWakeUpSignal = (): WakeUpSignal => {
  const sleepers = new Set<() => void>();
  let kept = false;
  const wakeOne = (): void => {
    const [first] = sleepers;
    if (first) first();
    else kept = true;
  };
  return {
    wakeOne,
    wakeAll: () => {
      for (const wake of [...sleepers]) wake();
      kept = true;
    },
    wait: () =>
      new Promise((resolve) => {
        if (kept) {
          kept = false;
          return resolve();
        }
        const wake = (): void => {
          sleepers.delete(wake);
          resolve();
        };
        sleepers.add(wake);
      }),
  };
};

/** Claims stages for its slots while it runs, and lets nothing that happens to one of them reach the others. */

export type SupervisorOptions = {
  readonly db: Db;
  readonly wakeUp: WakeUpSignal;
  readonly slots: readonly Slot[];
  readonly workerId: string;
  readonly leaseSeconds: number;
  readonly maxAttempts: number;
  readonly identity: TrainerIdentity;
  readonly pollMilliseconds: number;
  /** Shared with the heartbeat and the watchdog. */
  readonly attempts: Set<Attempt>;
  readonly tracer: Tracer;
  readonly log: Logger;
};

export type Supervisor = {
  /** Rejects when a slot cannot work at all: no trainer starts, or the database refuses this worker in words. */
  readonly failed: Promise<never>;
  /** Claims nothing more, lets every trainer checkpoint, and hands everything back within `milliseconds`. */
  readonly drain: (milliseconds: number) => Promise<void>;
};

/** Of a drain's time, this much is kept for ending trainers that did not stop and for the last writes. */
const reserveMilliseconds = 2000;

const longestPause = 60_000;
/** 1, 2, 4, … s, at most a minute. */
const pauseAfter = (faults: number): number => Math.min(longestPause, 1000 * 2 ** (faults - 1));

export const startSupervisor = (options: SupervisorOptions): Supervisor => {
  const { db, wakeUp, slots, workerId, identity, attempts, log } = options;
  const { leaseSeconds, maxAttempts, pollMilliseconds, tracer } = options;
  const failure = deferred<never>();
  let draining = false;

  const leaving = new AbortController();

  /** Null: nothing is to be had now. Throws what the database refuses in words, which is what this worker is, and what nobody foresaw. */
  const claim = async (): Promise<ClaimedStage | null> => {
    try {
      return await claimStage(db, { workerId, leaseSeconds, ...identity });
    } catch (error) {
      if (!isTransient(error)) throw error;
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'claim failed');
      return null;
    }
  };

  /** An earlier attempt of the same stage can only have lost its lease: this worker was asleep and has not heard of it yet. */
  const abandonEarlier = (stageId: string): void => {
    for (const attempt of attempts)
      if (attempt.claimed.spec.id === stageId) void stopAttempt(attempt, 'lost', 0);
  };

  /** Claims a stage and does it. Resolves to whether the database took all that came of it. */
  const runOne = async (slot: Slot): Promise<boolean> => {
    const claimed = await claim();
    if (!claimed) {
      if (!draining) await wakeUp.wait();
      return true;
    }
    wakeUp.wakeOne();
    abandonEarlier(claimed.spec.id);
    const attempt = newAttempt(claimed);
    attempts.add(attempt);
    if (draining) attempt.stopping = 'drain';
    const taken = await runAttempt({ db, maxAttempts, tracer, log }, attempt, slot.trainer).finally(() =>
      attempts.delete(attempt),
    );
    await slot.tidy();
    return taken;
  };

  /** A fault that nobody foresaw ends neither the slot nor the worker: it pauses, the longer the more there were in a row. */
  const serveSlot = async (slot: Slot): Promise<void> => {
    let faults = 0;
    while (!draining) {
      // A stage is claimed only for a trainer that is there.
      await slot.trainer();
      if (draining) return;
      const taken = await runOne(slot).catch((error: unknown) => {
        if (error instanceof AppError) throw error;
        log.error({ err: error }, 'claim failed');
        return false;
      });
      faults = taken ? 0 : faults + 1;
      if (faults > 0) await sleep(pauseAfter(faults), undefined, { signal: leaving.signal }).catch(() => {});
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
      leaving.abort();
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
