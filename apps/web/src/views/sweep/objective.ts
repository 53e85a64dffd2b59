/** What the trials of a sweep are judged by on its pages: one metric of one attack, or the lowest over all attacks. */
import {
  type AttackSpec,
  type EvaluationMetricName,
  evaluationMetrics,
  expandAttacks,
  isBounded,
  objectiveOf,
  type SweepDefinition,
  type Trial,
} from '@funnel/contracts';
import { attackLabel, keyOfRun } from '../../attack-label.ts';
import { formatMeasured, formatPercent } from '../../format.ts';

export type Interval = readonly [number, number];

export type Objective = {
  /** Key of the attack with its settings; '' for the worst over all. */
  readonly attack: string;
  readonly metric: EvaluationMetricName;
  /** For an axis: `Robust accuracy`. */
  readonly title: string;
  readonly direction: 'max' | 'min';
  readonly format: (value: number) => string;
};

export const formatMetric = (metric: EvaluationMetricName): ((value: number) => string) =>
  evaluationMetrics[metric].unit === 'fraction' ? formatPercent : formatMeasured;

/** The sweep's attacks in its own order. */
export const attackOptions = (
  definition: SweepDefinition,
): { readonly key: string; readonly spec: AttackSpec; readonly title: string }[] =>
  expandAttacks(definition.attacks, { dataset: definition.dataset.name }).map((spec) => ({
    key: keyOfRun(spec),
    spec,
    title: attackLabel(spec),
  }));

/** What the sweep says, or what it would be ranked by anywhere. */
export const defaultObjective = (
  definition: SweepDefinition,
): { readonly attack: string; readonly metric: EvaluationMetricName } => {
  const { run, metric } = objectiveOf(definition);
  return { attack: keyOfRun(run), metric };
};

export const createObjective = (attack: string, metric: EvaluationMetricName): Objective => ({
  attack,
  metric,
  title: evaluationMetrics[metric].title,
  direction: evaluationMetrics[metric].direction,
  format: formatMetric(metric),
});

const intervals = {
  robustAccuracy: 'robustInterval',
  successRate: 'successInterval',
  cleanAccuracy: 'cleanInterval',
} as const;

export type Result = {
  readonly trial: Trial;
  /** Null until it is measured, and for a distance that is infinite. */
  readonly value: number | null;
  readonly interval: Interval | null;
  readonly clean: number | null;
  readonly masked: boolean;
};

/** The evaluations that an objective looks at: of shares over all attacks, only those at a fixed ε, as long as there is one. */
const candidatesOf = (trial: Trial, { attack, metric }: Objective): Trial['evaluations'] => {
  if (attack !== '') return trial.evaluations.filter((evaluation) => keyOfRun(evaluation) === attack);
  const bounded = trial.evaluations.filter(isBounded);
  return evaluationMetrics[metric].unit === 'fraction' && bounded.length > 0 ? bounded : trial.evaluations;
};

/** A trial judged by an objective. The worst over all attacks is the one that leaves the least. */
export const resultOf = (trial: Trial, objective: Objective): Result => {
  const { metric, direction } = objective;
  const candidates = candidatesOf(trial, objective);
  const sign = direction === 'max' ? 1 : -1;
  const worst = candidates
    .filter(({ summary }) => summary[metric] !== null)
    .sort((a, b) => sign * (a.summary[metric]! - b.summary[metric]!))[0];
  const named = metric in intervals ? intervals[metric as keyof typeof intervals] : null;
  return {
    trial,
    value: worst?.summary[metric] ?? null,
    interval: worst && named ? worst.summary[named] : null,
    clean: trial.cleanAccuracy,
    masked: trial.verdict === 'masked',
  };
};

/** Best first: unmasked before masked, a missing value after every present one, then by number. */
export const ranked = (results: readonly Result[], direction: 'max' | 'min'): Result[] => {
  const sign = direction === 'max' ? -1 : 1;
  return [...results].sort((a, b) => {
    if (a.masked !== b.masked) return a.masked ? 1 : -1;
    if (a.value === null || b.value === null)
      return a.value === b.value ? a.trial.number - b.trial.number : a.value === null ? 1 : -1;
    return sign * (a.value - b.value) || a.trial.number - b.trial.number;
  });
};

/** Knobs that take more than one value, in declaration order. */
export const varyingKnobs = (trials: readonly Trial[]): string[] => {
  const seen = new Map<string, unknown>();
  const varying = new Set<string>();
  for (const { hyperparameters } of trials)
    for (const [name, value] of Object.entries(hyperparameters)) {
      if (!seen.has(name)) seen.set(name, value);
      else if (seen.get(name) !== value) varying.add(name);
    }
  return [...seen.keys()].filter((name) => varying.has(name));
};
