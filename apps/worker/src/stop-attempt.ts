import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt, StopReason } from './attempt.ts';
import type { Trainer } from './trainer-process.ts';

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
