/** The value of a trial by one metric, under one attack or in the worst case over all of them, with its 95 % interval. */
import { readExtended } from './json.ts';
import { type EvaluationMetricName, isDistance } from './metrics.ts';
import type { ResolvedObjective } from './ranking.ts';
import type { DistanceIntervals, Trial } from './resources/trials.ts';
import { type Interval, wilsonInterval } from './statistics.ts';
import { worstCaseShare } from './worst-case.ts';

export type MeasuredValue = {
  /** Null if the trial is not measured yet, or has no value. A distance may be infinite. */
  readonly value: number | null;
  readonly interval: Interval | null;
};

const shareIntervals = {
  robustAccuracy: 'robustInterval',
  successRate: 'successInterval',
  cleanAccuracy: 'cleanInterval',
} as const;

/** Null without a value, and in an answer that was not asked for the intervals of this metric. */
const distanceInterval = (
  intervals: DistanceIntervals | undefined,
  metric: EvaluationMetricName,
): Interval | null => {
  const ends = isDistance(metric) ? intervals?.[metric] : null;
  return ends ? [Number(ends[0]), Number(ends[1])] : null;
};

const missing: MeasuredValue = { value: null, interval: null };

export const valueUnder = (
  { summary, intervals }: Pick<Trial['evaluations'][number], 'summary' | 'intervals'>,
  metric: EvaluationMetricName,
): MeasuredValue => ({
  value: readExtended(summary[metric]),
  interval: isDistance(metric) ? distanceInterval(intervals, metric) : summary[shareIntervals[metric]],
});

/** All attacks attack the same images. */
export const worstCaseValue = (
  trial: Parameters<typeof worstCaseShare>[0],
  metric: EvaluationMetricName,
): MeasuredValue => {
  if (!isDistance(metric)) return worstCaseShare(trial, metric) ?? missing;
  return {
    value: readExtended(trial.worstCase?.values[metric] ?? null),
    interval: distanceInterval(trial.worstCase?.intervals, metric),
  };
};

type Result = Trial['evaluations'][number];

/** An evaluation of an older version may lack settings that a run has today. */
const isOf = ({ attack, settings }: Result, run: NonNullable<ResolvedObjective['run']>): boolean => {
  const wanted: Readonly<Record<string, unknown>> = run.settings;
  return (
    attack === run.attack &&
    Object.entries(settings).every(([name, value]) => JSON.stringify(wanted[name]) === JSON.stringify(value))
  );
};

/** The value by which its sweep ranks a trial. */
export const objectiveValue = (trial: Trial, { run, metric }: ResolvedObjective): MeasuredValue => {
  if (!run) return worstCaseValue(trial, metric);
  const evaluation = trial.evaluations.find((each) => isOf(each, run));
  return evaluation ? valueUnder(evaluation, metric) : missing;
};

/** Of the clean accuracy on the test images of a sweep; null without it, or without their number (a sweep of a very old version). */
export const cleanAccuracyInterval = (clean: number | null, tested: number | undefined): Interval | null =>
  clean === null || tested === undefined ? null : wilsonInterval(Math.round(clean * tested), tested);
