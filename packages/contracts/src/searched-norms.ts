/**
 * The norms in which several attacks together say something about a model. Every result is measured in all norms, but an attack looks for small
 * changes in its own norm only. So no curve and no median of a worst case is about a norm in which no attack works.
 */
import { type AttackName, attacks } from './attacks.ts';
import type { EvaluationMetricName } from './metrics.ts';

export type DistanceNorm = 'linf' | 'l2';

type Named = { readonly attack: AttackName };

/** The attacks that look for changes that are small in this norm. */
export const runsOfNorm = <Of extends Named>(runs: readonly Of[], norm: DistanceNorm): readonly Of[] =>
  runs.filter(({ attack }) => attacks[attack].norm === norm);

/** The norm of each median of a worst case. */
const medianNorms = { medianL2: 'l2', medianLinf: 'linf' } as const satisfies Partial<
  Record<EvaluationMetricName, DistanceNorm>
>;

/**
 * Whether the worst case over these attacks has this metric: a median only in a norm in which one of them works. No metric counts changed
 * pixels, so attacks that do nothing else are ranked by L2.
 */
export const worstCaseHas = (metric: EvaluationMetricName, runs: readonly Named[]): boolean => {
  if (metric !== 'medianL2' && metric !== 'medianLinf') return true;
  const countPixels = runs.every(({ attack }) => attacks[attack].norm === 'l0');
  return (metric === 'medianL2' && countPixels) || runsOfNorm(runs, medianNorms[metric]).length > 0;
};
