import type { SweepDetail, SweepInput, TrialDetail } from '@funnel/contracts';

/** A sweep of this one trial. Submitted as it is, all of its stages are found done: a start to change from. */
export const trialDefinition = (trial: TrialDetail, sweep: SweepDetail | undefined): SweepInput => ({
  name: `${sweep?.name ?? 'Sweep'}, trial ${trial.number} again`,
  recipes: [trial.recipe],
  dataset: sweep?.definition.dataset ?? { name: trial.dataset },
  // The values came from the same declarations that they are checked against again.
  space: trial.hyperparameters as SweepInput['space'],
  seeds: [trial.seed],
  // What the schema put out, it takes in again.
  attacks: (sweep?.definition.attacks ?? { preset: 'quick' }) as SweepInput['attacks'],
});
