/** The objective by which pages rank trials: one metric, under one attack or in the worst case over all attacks. */
import {
  type AttackSpec,
  budgetsOfChoice,
  type EvaluationMetricName,
  evaluationMetrics,
  expandAttacks,
  isBounded,
  type MeasuredValue,
  type Metric,
  objectiveOf,
  ranksBelow,
  type SweepDefinition,
  type Trial,
  threatModelOf,
  usualMetric,
  valueUnder,
  withinText,
  worstCaseValue,
} from '@funnel/contracts';
import { attackLabel, formatMeasured, formatPercent, keyOfRun } from '../format.ts';

export type Objective = {
  /** Key of the attack with its settings; '' for the worst case over all attacks. */
  readonly attack: string;
  readonly metric: EvaluationMetricName;
  /** The title of an axis: `Robust accuracy`. */
  readonly title: string;
  readonly direction: 'max' | 'min';
  readonly format: (value: number) => string;
};

export const formatMetric = (metric: EvaluationMetricName): ((value: number) => string) =>
  evaluationMetrics[metric].unit === 'fraction' ? formatPercent : formatMeasured;

/** The direction in which a value is the best of a row; null for a mean over successes. */
export const betterOf = (name: EvaluationMetricName): 'max' | 'min' | null => {
  const { direction, isOverSuccesses }: Metric = evaluationMetrics[name];
  return isOverSuccesses ? null : direction;
};

/** The attacks of a sweep, in its order. */
export const attackOptions = (
  definition: SweepDefinition,
): { readonly key: string; readonly spec: AttackSpec; readonly title: string }[] =>
  expandAttacks(definition.attacks, { budgets: budgetsOfChoice(definition.dataset) }).map((spec) => ({
    key: keyOfRun(spec),
    spec,
    title: attackLabel(spec),
  }));

/** The objective that the sweep declares, or else the default of the leaderboard. */
export const defaultObjective = (
  definition: SweepDefinition,
): Pick<Objective, 'attack' | 'metric' | 'direction'> => {
  const { run, metric, direction } = objectiveOf(definition);
  return { attack: run ? keyOfRun(run) : '', metric, direction };
};

/** The metric that has values under the attack of this key; '' for the worst case over all of them. */
export const usualMetricFor = (
  options: readonly { readonly key: string; readonly spec: AttackSpec }[],
  attack: string,
): EvaluationMetricName => {
  const chosen = options.find(({ key, spec }) => (attack === '' ? isBounded(spec) : key === attack));
  const run = (chosen ?? options[0])?.spec;
  return run ? usualMetric(run) : 'robustAccuracy';
};

/** `Worst case over all attacks, within L∞ 0.3 or L2 2`. */
export const worstCaseTitle = (
  runs: Parameters<typeof threatModelOf>[0],
  metric: EvaluationMetricName,
): string => `Worst case over all attacks${withinText(threatModelOf(runs), metric)}`;

/** `declared`: the objective of the sweep, which may have another direction than is usual for its metric. */
export const createObjective = (
  attack: string,
  metric: EvaluationMetricName,
  declared?: Pick<Objective, 'attack' | 'metric' | 'direction'>,
): Objective => ({
  attack,
  metric,
  title: evaluationMetrics[metric].title,
  direction:
    declared?.attack === attack && declared.metric === metric
      ? declared.direction
      : evaluationMetrics[metric].direction,
  format: formatMetric(metric),
});

export type Result = MeasuredValue & {
  readonly trial: Trial;
  readonly clean: number | null;
  /** Ranks below all others: masked, untrained, or with too few images. */
  readonly masked: boolean;
};

/** The value under one attack. */
const measuredBy = (trial: Trial, { attack, metric }: Objective): MeasuredValue => {
  const evaluation = trial.evaluations.find((each) => keyOfRun(each) === attack);
  return evaluation ? valueUnder(evaluation, metric) : { value: null, interval: null };
};

export const resultOf = (trial: Trial, objective: Objective): Result => ({
  trial,
  ...(objective.attack === '' ? worstCaseValue(trial, objective.metric) : measuredBy(trial, objective)),
  clean: trial.cleanAccuracy,
  masked: trial.verdict !== null && ranksBelow(trial.verdict),
});

/** Orders results from best to worst. Results of a higher rung come first: they had more epochs. Then unmasked runs before masked ones, then by value with missing values last, then by number. */
export const ranked = (results: readonly Result[], direction: 'max' | 'min'): Result[] => {
  const sign = direction === 'max' ? -1 : 1;
  const rungOf = ({ trial }: Result) => trial.rung ?? 0;
  return [...results].sort((a, b) => {
    if (rungOf(a) !== rungOf(b)) return rungOf(b) - rungOf(a);
    if (a.masked !== b.masked) return a.masked ? 1 : -1;
    if (a.value === null || b.value === null)
      return a.value === b.value ? a.trial.number - b.trial.number : a.value === null ? 1 : -1;
    return sign * (a.value - b.value) || a.trial.number - b.trial.number;
  });
};

/** So many trials of any recipe stand first in `firstChoice`. */
export const bestOfAll = 3;

/** The trials that a page compares at first: the three best, and the best of another recipe. Before results, the first running ones. */
export const firstChoice = (results: readonly Result[], { direction }: Objective): number[] => {
  const best = ranked(
    results.filter(({ value }) => value !== null),
    direction,
  );
  if (best.length === 0) {
    const begun = results.filter(({ trial }) => trial.status !== 'waiting');
    return (begun.length > 0 ? begun : results).slice(0, bestOfAll).map(({ trial }) => trial.number);
  }
  const top = best.slice(0, bestOfAll);
  const other = best.find(({ trial }) => top.every((chosen) => chosen.trial.recipe !== trial.recipe));
  return [...top, ...(other ? [other] : [])].map(({ trial }) => trial.number);
};

/** The hyperparameters that have more than one value, in the order of declaration. */
export const varyingHyperparameters = (trials: readonly Trial[]): string[] => {
  const seen = new Map<string, unknown>();
  const varying = new Set<string>();
  for (const { hyperparameters } of trials)
    for (const [name, value] of Object.entries(hyperparameters)) {
      if (!seen.has(name)) seen.set(name, value);
      else if (seen.get(name) !== value) varying.add(name);
    }
  return [...seen.keys()].filter((name) => varying.has(name));
};
