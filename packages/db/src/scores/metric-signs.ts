import { evaluationMetricNames, evaluationMetrics } from '@funnel/contracts';

/** In the order of `evaluationMetricNames`: what makes a utility, of which more is better, of a value. */
export const signs = evaluationMetricNames.map((name) =>
  evaluationMetrics[name].direction === 'max' ? 1 : -1,
);
