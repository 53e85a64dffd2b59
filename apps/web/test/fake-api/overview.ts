/** What the list of sweeps shows of a sweep of the fake server. */
import {
  type EvaluationMetricName,
  evaluationMetrics,
  objectiveOfBest,
  ranksBelow,
  readExtended,
  type StoredDefinition,
  type SweepOverview,
  type Trial,
  writeExtended,
} from '@funnel/contracts';

const measuredIn = (trial: Trial, attack: string | undefined, metric: EvaluationMetricName) =>
  readExtended(
    attack === undefined
      ? (trial.worstCase?.values[metric] ?? null)
      : (trial.evaluations.find((evaluation) => evaluation.attack === attack)?.summary[metric] ?? null),
  );

const bestOf = (definition: StoredDefinition, trials: readonly Trial[]): SweepOverview['best'] => {
  const objective = objectiveOfBest(definition);
  if (!objective) return null;
  const { run, metric } = objective;
  const sign = evaluationMetrics[metric].direction === 'max' ? -1 : 1;
  const [best] = trials
    .flatMap((trial) => {
      const value = measuredIn(trial, run?.attack, metric);
      return value === null
        ? []
        : [{ trial, value, isBelow: trial.verdict !== null && ranksBelow(trial.verdict) }];
    })
    .sort((a, b) => Number(a.isBelow) - Number(b.isBelow) || sign * (a.value - b.value));
  if (!best) return null;
  const { number, verdict } = best.trial;
  return { trial: number, metric, attack: run?.attack ?? null, value: writeExtended(best.value), verdict };
};

export const overviewOf = (definition: StoredDefinition, trials: readonly Trial[]): SweepOverview => ({
  recipes: definition.recipes,
  dataset: definition.dataset.name,
  submittedBy: 'ann',
  best: bestOf(definition, trials),
});
