import type { TrialDetail } from '@funnel/contracts';

/** Trials of different sweeps may have the same number. */
export const trialName = (trial: TrialDetail, all: readonly TrialDetail[]): string =>
  all.filter(({ number }) => number === trial.number).length > 1
    ? `Trial ${trial.number} of ${trial.sweepId}`
    : `Trial ${trial.number}`;
