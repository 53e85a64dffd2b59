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
  threatModelOf,
  whyNoBest,
  wilsonInterval,
  worstTrialVerdict,
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
  const configurations = new Map<string, { readonly trial: Trial; readonly value: number }[]>();
  for (const trial of trials) {
    const value = measuredIn(trial, run?.attack, metric);
    const key = JSON.stringify([trial.recipe, trial.hyperparameters]);
    if (value !== null) configurations.set(key, [...(configurations.get(key) ?? []), { trial, value }]);
  }
  const all = [...configurations.values()]
    .map((seeds) => ({
      seeds,
      value: seeds.reduce((sum, { value }) => sum + value, 0) / seeds.length,
      verdict: worstTrialVerdict(seeds.flatMap(({ trial }) => trial.verdict ?? [])),
    }))
    .sort(
      (a, b) => Number(ranksBelow(a.verdict)) - Number(ranksBelow(b.verdict)) || sign * (a.value - b.value),
    );
  const [best] = all;
  if (!best) return null;
  const verdicts = all.flatMap((each) => (ranksBelow(each.verdict) ? [each.verdict] : []));
  const counts = Object.fromEntries(
    verdicts.map((one) => [one, verdicts.filter((other) => other === one).length]),
  );
  const { seeds, value, verdict } = best;
  const images = seeds.reduce((sum, { trial }) => sum + trial.evaluations[0]!.summary.images, 0);
  return {
    trial: seeds[0]!.trial.number,
    metric,
    attack: run?.attack ?? null,
    ...(run ? { settings: run.settings } : { within: threatModelOf(seeds[0]!.trial.evaluations) }),
    value: writeExtended(value),
    seeds: seeds.length,
    images,
    ...(metric === 'robustAccuracy' && { interval: wilsonInterval(Math.round(value * images), images) }),
    verdict,
    ...(verdicts.length > 0 && {
      below: { configurations: verdicts.length, ranked: all.length, verdicts: counts },
    }),
  };
};

export const overviewOf = (definition: StoredDefinition, trials: readonly Trial[]): SweepOverview => {
  const noBest = whyNoBest(definition);
  return {
    recipes: definition.recipes,
    dataset: definition.dataset.name,
    submittedBy: 'ann',
    best: bestOf(definition, trials),
    ...(noBest && { noBest }),
  };
};
