/** A slot holds one trainer for many stages, and replaces the trainer when it has died or uses too much memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { killTrainer } from './attempt.ts';
import type { TrainerIdentity, TrainerSetup } from './messages.ts';
import { startTrainer, type Trainer, TrainerDeath } from './trainer-process.ts';

export type Slot = {
  /** The slot's trainer, started or replaced if necessary. Rejects when it did not start in `maxStarts` tries, and at once when no trainer of this slot could ever use the backend. */
  readonly trainer: () => Promise<Trainer>;
  readonly identity: () => Promise<TrainerIdentity>;
  readonly pid: () => number | null;
  /** Call between stages: kills a trainer that holds more memory than the limit, so that the next stage gets a new one. */
  readonly tidy: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type SlotOptions = {
  readonly setup: TrainerSetup;
  /** Resident bytes beyond which a trainer is replaced between stages. */
  readonly memoryLimitBytes: number;
  readonly log: Logger;
};

const maxStarts = 5;
const firstPause = 250;

export const createSlot = ({ setup, memoryLimitBytes, log }: SlotOptions): Slot => {
  let current: Trainer | null = null;
  let closed = false;
  let wasReady = false;

  const start = async (): Promise<Trainer> => {
    for (let tries = 1; ; tries++) {
      const trainer = startTrainer(setup, log);
      current = trainer;
      try {
        const identity = await trainer.ready;
        log.info({ trainer: trainer.pid, ...identity }, 'trainer is ready');
        wasReady = true;
        return trainer;
      } catch (error) {
        await killTrainer(trainer);
        // A backend that worked once may work again. One that never did is missing, and waiting would not bring it.
        const isMissing = !wasReady && error instanceof TrainerDeath && error.code === 'TRAINER_UNUSABLE';
        if (closed || isMissing || tries === maxStarts) throw error;
        log.warn(
          { error: error instanceof Error ? error.message : String(error), tries },
          'trainer did not start',
        );
        await sleep(firstPause * 2 ** tries);
      }
    }
  };

  /** The start that is running, if any; a second call waits for it. */
  let starting: Promise<Trainer> | null = null;
  const trainer = async (): Promise<Trainer> => {
    if (closed) throw new Error('The slot is closed');
    if (current?.isAlive() && !starting) return current;
    starting ??= start().finally(() => {
      starting = null;
    });
    return starting;
  };

  return {
    trainer,
    identity: async () => (await trainer()).ready,
    pid: () => (current?.isAlive() ? current.pid : null),
    tidy: async () => {
      if (!current || current.memoryBytes() <= memoryLimitBytes) return;
      log.info(
        { trainer: current.pid, memoryBytes: current.memoryBytes() },
        'trainer grew too large and is replaced',
      );
      await killTrainer(current);
    },
    close: async () => {
      closed = true;
      if (current) await killTrainer(current);
    },
  };
};
