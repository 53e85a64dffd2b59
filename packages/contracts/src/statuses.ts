/**
 * The statuses of stages, trials and sweeps, and the kinds of stages. `packages/db/src/lifecycle/transitions.ts` lists the allowed
 * transitions.
 */
import { z } from 'zod';

/** The names of a table of meanings, for a schema. */
const namesOf = <Name extends string>(meanings: Readonly<Record<Name, string>>) =>
  Object.keys(meanings) as [Name, ...Name[]];

/** waiting → ready → running → one of the other statuses, which are final. */
export const stageStatuses = {
  waiting: 'Other stages must end first.',
  ready: 'It waits for a free worker.',
  running: 'A worker runs it.',
  completed: 'It has its result.',
  diverged: 'A loss is no longer a finite number. This is a result: the same inputs end in the same way.',
  collapsed: 'An auto-encoder gives the same output for every input. This is a result, as for `diverged`.',
  failed: 'Every attempt ended with an error. `npx funnel retry SWEEP` gives it new attempts.',
  skipped: 'It depends on a stage that ended without a usable result.',
  cancelled: 'Its sweep was cancelled before it ended.',
} as const satisfies Record<string, string>;
export const StageStatus = z.enum(namesOf(stageStatuses));
export type StageStatus = z.infer<typeof StageStatus>;

/** The status of a trial follows from the statuses of its stages. */
export const trialStatuses = {
  waiting:
    'None of its stages runs: they wait for a worker, for other stages, or for the sweep to go on. Some may have results.',
  running: 'A worker runs one of its stages.',
  completed: 'All of its stages have their results.',
  failed: 'One of its stages failed.',
  diverged: 'One of its training stages diverged.',
  collapsed: 'One of its training stages collapsed.',
  cancelled: 'Its sweep was cancelled before it ended.',
} as const satisfies Record<string, string>;
export const TrialStatus = z.enum(namesOf(trialStatuses));
export type TrialStatus = z.infer<typeof TrialStatus>;

/** The status of a sweep in the database. */
const storedSweepStatuses = {
  running: 'Some trials have not ended, or a search may decide more.',
  paused: 'No stage starts until `npx funnel resume SWEEP`.',
  completed: 'Every trial completed.',
  'completed-with-failures':
    'Every trial has ended, and some completed. The others failed, diverged or collapsed.',
  failed: 'Every trial has ended, and none completed.',
  cancelled: 'It was cancelled. Results stay.',
} as const satisfies Record<string, string>;
export const StoredSweepStatus = z.enum(namesOf(storedSweepStatuses));
export type StoredSweepStatus = z.infer<typeof StoredSweepStatus>;

/** The statuses of a sweep whose trials have all ended by themselves. */
export const endedStatuses = [
  'completed',
  'completed-with-failures',
  'failed',
] as const satisfies readonly StoredSweepStatus[];

/** The status of a sweep that people see. After a pause or a cancellation, trainers go on for some seconds. */
export const sweepStatuses = {
  ...storedSweepStatuses,
  pausing: 'It was paused, and trainers still write their last checkpoints.',
  retrying: 'Failed stages get new attempts. Stages already run.',
  cancelling: 'It was cancelled, and trainers still stop.',
  deleting: 'It was deleted, and some of its rows are still there.',
} as const satisfies Record<string, string>;
export const SweepStatus = z.enum(namesOf(sweepStatuses));
export type SweepStatus = z.infer<typeof SweepStatus>;

/** A status as words: `completed with failures`. */
export const statusText = (status: string): string => status.replaceAll('-', ' ');

export const StageKind = z.enum(['initialise', 'optimise', 'classify', 'attack']);
export type StageKind = z.infer<typeof StageKind>;
