/** The value of a trial by one metric, under one attack or in the worst case over all of them, with its 95 % interval. */
import { readExtended } from './json.ts';
import { type EvaluationMetricName, isDistance } from './metrics.ts';
import type { DistanceIntervals, Trial } from './resources.ts';
import type { Interval } from './statistics.ts';
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
  if (!isDistance(metric)) return worstCaseShare(trial, metric) ?? { value: null, interval: null };
  return {
    value: readExtended(trial.worstCase?.values[metric] ?? null),
    interval: distanceInterval(trial.worstCase?.intervals, metric),
  };
};
