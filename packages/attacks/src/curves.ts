/** Robust accuracy over ε, and the per-image worst case over attacks. */
import type { AttackName, EvaluationRecords, RobustnessCurve } from '@funnel/contracts';
import { AppError, reachOf } from '@funnel/contracts';
import { wilsonInterval } from './statistics.ts';

/** One attack's results, as `evaluateAttack` returns or the database keeps them. */
export type Evaluated = {
  readonly attack: { readonly attack: AttackName };
  readonly records: EvaluationRecords;
};

/** 0 … ½ in hundredths (L∞), 0 … 5 in tenths (L2). */
export const curveEpsilons = (norm: 'l2' | 'linf'): number[] =>
  Array.from({ length: 51 }, (_, i) => (norm === 'linf' ? i / 100 : i / 10));

/**
 * H22: of every image the best that any attack found – mean over images of the least over attacks, not the least of the means. Each
 * distance is the least in its own norm, so the three may come from different attacks; `predicted` comes from the least L2.
 * All evaluations must be of the same images and the same model. Throws ATTACK_INPUT where the images differ.
 */
export const worstCase = (evaluations: readonly Evaluated[]): EvaluationRecords => {
  const [first, ...others] = evaluations.map(({ records }) => records);
  if (first === undefined)
    throw new AppError('ATTACK_INPUT', 'Expected at least one evaluation, but got none');
  const worst = structuredClone(first);
  for (const records of others) {
    if (String(records.index) !== String(first.index))
      throw new AppError(
        'ATTACK_INPUT',
        'Expected evaluations of the same images in the same order, but their indices differ',
      );
    records.index.forEach((_, i) => {
      worst.steps[i]! += records.steps[i]!;
      worst.queries[i]! += records.queries[i]!;
      if (!records.success[i]) return;
      if (worst.l2[i] === null || records.l2[i]! < worst.l2[i]!) worst.predicted[i] = records.predicted[i]!;
      worst.success[i] = true;
      worst.l2[i] = Math.min(worst.l2[i] ?? Number.POSITIVE_INFINITY, records.l2[i]!);
      worst.linf[i] = Math.min(worst.linf[i] ?? Number.POSITIVE_INFINITY, records.linf[i]!);
      worst.l0[i] = Math.min(worst.l0[i] ?? Number.POSITIVE_INFINITY, records.l0[i]!);
    });
  }
  return worst;
};

/**
 * Share of all images that are classified correctly and for which no attack found an adversarial within ε. Whatever an attack meant to
 * minimise, what it found is measured in this norm, with the rounding of `reachOf`. Points have 95 % Wilson intervals.
 */
export const robustnessCurve = (
  evaluations: readonly Evaluated[],
  norm: 'l2' | 'linf',
  epsilons: readonly number[] = curveEpsilons(norm),
): RobustnessCurve => {
  const { index, correct, [norm]: distances } = worstCase(evaluations);
  const images = index.length;
  const standing = epsilons.map((epsilon) => {
    const reach = reachOf(epsilon);
    return index.filter((_, i) => correct[i] && !((distances[i] ?? Number.POSITIVE_INFINITY) <= reach))
      .length;
  });
  const intervals = standing.map((count) => wilsonInterval(count, images));
  return {
    norm,
    images,
    attacks: [...new Set(evaluations.map(({ attack }) => attack.attack))],
    epsilon: [...epsilons],
    accuracy: standing.map((count) => (images === 0 ? 0 : count / images)),
    low: intervals.map(([low]) => low),
    high: intervals.map(([, high]) => high),
  };
};
