import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, heartbeat } from '@funnel/db';
import type { Logger } from 'pino';
import { createWarning, deferred } from './async.ts';
import type { Attempt } from './attempt.ts';
import { stopAttempt } from './attempt.ts';
import { isMismatch } from './run-attempt.ts';

export type HeartbeatOptions = {
  readonly db: Db;
  readonly workerId: string;
  /** Writes the row of this worker again. */
  readonly register: () => Promise<void>;
  readonly leaseSeconds: number;
  /** How long a trainer may take for the checkpoint of a pause. */
  readonly stopMilliseconds: number;
  readonly attempts: ReadonlySet<Attempt>;
  readonly log: Logger;
};

const memoryOf = (attempts: ReadonlySet<Attempt>): number =>
  [...attempts].reduce((sum, { trainer }) => sum + (trainer?.memoryBytes() ?? 0), process.memoryUsage.rss());

/** Milliseconds that the trainer of a lost stage has to finish its step. The worker writes nothing more for this stage. */
const lostGrace = 1000;
/** Milliseconds that the trainer of a cancelled stage has to finish its step. Nobody needs its checkpoint. */
const cancelGrace = 1500;

/**
 * One heartbeat: renews every lease, and stops the attempts that the database wants stopped. A worker that was suspended for a day has no row
 * any more, and registers again.
 */
const sendHeartbeat = async (options: HeartbeatOptions): Promise<void> => {
  const { db, workerId, register, leaseSeconds, attempts, stopMilliseconds, log } = options;
  const held = [...attempts].filter((attempt) => !attempt.abandon.signal.aborted);
  const leases = held.map(({ claimed, position, imagesPerSecond }) => ({
    stageId: claimed.spec.id,
    fencingToken: claimed.fencingToken,
    position,
    imagesPerSecond,
  }));
  const { isRegistered, lost, stop } = await heartbeat(db, {
    workerId,
    leases,
    stopping: [...attempts]
      .filter(({ abandon }) => abandon.signal.aborted)
      .map(({ claimed }) => claimed.spec.id),
    memoryBytes: memoryOf(attempts),
    leaseSeconds,
  });
  if (!isRegistered) await register();
  for (const attempt of held) {
    const { id } = attempt.claimed.spec;
    const wanted = stop.find(({ stageId }) => stageId === id);
    if (attempt.hasEnded) continue;
    if (lost.includes(id)) {
      log.warn({ stage: id, fencingToken: attempt.claimed.fencingToken }, 'lease was lost');
      void stopAttempt(attempt, 'lost', lostGrace);
    } else if (wanted) {
      void stopAttempt(attempt, wanted.reason, wanted.reason === 'pause' ? stopMilliseconds : cancelGrace);
    }
  }
};

/** A worker learns of a pause or a cancellation within this time, however long the lease is. */
const maxMilliseconds = 2000;

export type RunningHeartbeat = {
  /** Rejects when another version has migrated the database. The heartbeat then ends and renews no more leases. */
  readonly refused: Promise<never>;
  readonly stop: () => Promise<void>;
};

/** Sends a heartbeat every third of a lease, but at least every 2 s, until stopped. Repeats a failed heartbeat after a third of that time. */
export const startHeartbeat = (options: HeartbeatOptions): RunningHeartbeat => {
  const refusal = deferred<never>();
  const period = Math.min(maxMilliseconds, (options.leaseSeconds * 1000) / 3);
  const ended = new AbortController();
  const warn = createWarning(options.log, 'heartbeat failed');
  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      let pause = period;
      try {
        await sendHeartbeat(options);
      } catch (error) {
        if (isMismatch(error)) return refusal.reject(error);
        warn(error);
        pause = period / 3;
      }
      await sleep(pause, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const running = loop();
  return {
    refused: refusal.promise,
    stop: async () => {
      ended.abort();
      await running;
    },
  };
};
