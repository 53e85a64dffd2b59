/** The statuses of sweeps, trials and stages. Which changes a stage may make stands in `packages/db/src/lifecycle/transitions.ts`. */
import { z } from 'zod';

/**
 * waiting (for the stages that it depends on) → ready → running → an end. `diverged` (a loss that is not finite) and `collapsed` (an
 * auto-encoder that ignores its input) are results, not errors: the same inputs would end so again. `skipped`: a stage that it depends on
 * ended without a usable result.
 */
export const StageStatus = z.enum([
  'waiting',
  'ready',
  'running',
  'completed',
  'diverged',
  'collapsed',
  'failed',
  'skipped',
  'cancelled',
]);
export type StageStatus = z.infer<typeof StageStatus>;

/** A trial owns no work: its status is what its stages make it. */
export const TrialStatus = z.enum([
  'waiting',
  'running',
  'completed',
  'failed',
  'diverged',
  'collapsed',
  'cancelled',
]);
export type TrialStatus = z.infer<typeof TrialStatus>;

/** `completed`: every trial has ended, however it ended. */
export const SweepStatus = z.enum(['running', 'paused', 'completed', 'cancelled']);
export type SweepStatus = z.infer<typeof SweepStatus>;

export const StageKind = z.enum(['initialise', 'optimise', 'classify', 'attack']);
export type StageKind = z.infer<typeof StageKind>;
