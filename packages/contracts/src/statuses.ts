/**
 * The statuses of stages, trials and sweeps, and the kinds of stages. `packages/db/src/lifecycle/transitions.ts` lists the allowed
 * transitions.
 */
import { z } from 'zod';

/**
 * waiting (for other stages) → ready → running → one of the other statuses, which are final. `diverged` (a loss is not finite) and
 * `collapsed` (an auto-encoder ignores its input) are results, not errors: the same inputs end in the same way. `skipped`: the stage
 * depends on a stage that ended without a usable result.
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

/** The status of a trial follows from the statuses of its stages. */
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

/**
 * The status of a sweep in the database. When every trial has ended: `completed` (every trial completed), `completed-with-failures` (some
 * did), or `failed` (none did: each failed, diverged or collapsed).
 */
export const StoredSweepStatus = z.enum([
  'running',
  'paused',
  'completed',
  'completed-with-failures',
  'failed',
  'cancelled',
]);
export type StoredSweepStatus = z.infer<typeof StoredSweepStatus>;

/**
 * The status of a sweep that people see. After a pause or a cancellation, trainers go on for some seconds. Until the last one has stopped,
 * the sweep is `pausing` or `cancelling`. A running sweep is `retrying` until each of its failed stages has new attempts. A sweep is
 * `deleting` until the last of its rows is deleted.
 */
export const SweepStatus = z.enum([
  ...StoredSweepStatus.options,
  'pausing',
  'retrying',
  'cancelling',
  'deleting',
]);
export type SweepStatus = z.infer<typeof SweepStatus>;

/** A status as words: `completed with failures`. */
export const statusText = (status: string): string => status.replaceAll('-', ' ');

export const StageKind = z.enum(['initialise', 'optimise', 'classify', 'attack']);
export type StageKind = z.infer<typeof StageKind>;
