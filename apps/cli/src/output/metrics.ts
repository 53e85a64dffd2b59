/** The names and values of metrics within sentences and tables. */
import {
  type EvaluationMetricName,
  type ExtendedNumber,
  evaluationMetrics,
  inSentence,
  readExtended,
} from '@funnel/contracts';
import { formatNumber, formatNumberEnds, formatShare, formatShareEnds } from './format.ts';

/** The title of a metric within a sentence. */
export const titleOf = (metric: EvaluationMetricName): string => inSentence(evaluationMetrics[metric].title);

/** A value of the metric: a fraction as a percentage, any other number with four digits. */
export const metricText = (metric: EvaluationMetricName, value: number | null): string =>
  (evaluationMetrics[metric].unit === 'fraction' ? formatShare : formatNumber)(value);

/** `29.1–47.8`, `1.07–∞`: the ends of an interval. */
export const endsText = (
  metric: EvaluationMetricName,
  ends: readonly [ExtendedNumber, ExtendedNumber],
): string =>
  evaluationMetrics[metric].unit === 'fraction'
    ? formatShareEnds([Number(ends[0]), Number(ends[1])])
    : formatNumberEnds(ends);

/** `38.0 % (29.1–47.8)`, `1.233 (1.07–1.5)`: a value of the metric with the ends of its 95 % interval. */
export const sureText = (
  metric: EvaluationMetricName,
  value: ExtendedNumber | null,
  interval?: readonly [ExtendedNumber, ExtendedNumber] | null,
): string => {
  const text = metricText(metric, readExtended(value));
  return value === null || !interval ? text : `${text} (${endsText(metric, interval)})`;
};
