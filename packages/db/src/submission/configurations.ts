/** Seeds apart, which points of the search space a sweep has. */
import type { SweepPlan } from '@funnel/contracts';

export type PlannedTrial = SweepPlan['trials'][number];

/** The first trial of each configuration, by its hash. The order is that of the trials, and its places are the configurations' numbers. */
export const firstTrials = (trials: readonly PlannedTrial[]): ReadonlyMap<string, PlannedTrial> => {
  const first = new Map<string, PlannedTrial>();
  for (const trial of trials) if (!first.has(trial.configuration)) first.set(trial.configuration, trial);
  return first;
};
