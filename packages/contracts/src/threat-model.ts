/** The balls inside which an adversarial counts against robust accuracy (`ranking.ts`). */
import { z } from 'zod';
import { normTitles } from './attacks/define-attack.ts';
import type { EvaluationMetricName } from './metrics.ts';

const epsilon = (norm: string) =>
  z
    .number()
    .gt(0)
    .optional()
    .meta({ description: `The largest ε of the trial’s attacks at a fixed ε in ${norm}.` });

/** The radius of the ball of each norm; absent for a norm without a bounded attack. */
export const ThreatModel = z.strictObject({ linf: epsilon(normTitles.linf), l2: epsilon(normTitles.l2) });
export type ThreatModel = z.infer<typeof ThreatModel>;

/** `L∞ 0.3 or L2 2`; empty without a ball. Radii have three significant digits: 8/255 is 0.0314. */
export const threatModelText = (balls: ThreatModel): string =>
  (['linf', 'l2'] as const)
    .flatMap((norm) => {
      const radius = balls[norm];
      return radius === undefined ? [] : [`${normTitles[norm]} ${Number(radius.toPrecision(3))}`];
    })
    .join(' or ');

/** These metrics of a worst case count the images that are fooled within a ball. The others are about changes of any size. */
const metricsWithin: readonly EvaluationMetricName[] = ['robustAccuracy', 'successRate'];

/** `, within L∞ 0.3 or L2 2`, to continue a sentence with; empty without a ball, and for a metric that no ball limits. */
export const withinText = (balls: ThreatModel, metric: EvaluationMetricName): string => {
  const text = threatModelText(balls);
  return text === '' || !metricsWithin.includes(metric) ? '' : `, within ${text}`;
};
