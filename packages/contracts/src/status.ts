/** The status of sweeps, trials and stages, and which change is allowed. PostgreSQL's conditional updates use these tables. */
import { z } from 'zod';

/**
 * waiting (for what it continues from) → ready → running → one of the ends. `diverged` (a loss that is not finite) and `collapsed`
 * (an auto-encoder that ignores its input) are results, not errors: the same inputs would end so again. `skipped`: what it needs
 * ended without a usable result.
 */
export const stageTransitions = {
  waiting: ['ready', 'completed', 'skipped', 'cancelled'],
  ready: ['running', 'completed', 'cancelled', 'skipped', 'waiting'],
  running: ['ready', 'completed', 'failed', 'diverged', 'collapsed', 'cancelled'],
  completed: [],
  diverged: [],
  collapsed: [],
  failed: ['waiting', 'ready'],
  skipped: ['waiting', 'ready'],
  cancelled: ['waiting', 'ready'],
} as const;
export type StageStatus = keyof typeof stageTransitions;
export const StageStatus = z.enum(Object.keys(stageTransitions) as [StageStatus, ...StageStatus[]]);

/** The statuses from which a stage may be moved to `to`. */
export const stagesBefore = (to: StageStatus): StageStatus[] =>
  (Object.keys(stageTransitions) as StageStatus[]).filter((from) =>
    (stageTransitions[from] as readonly StageStatus[]).includes(to),
  );

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
