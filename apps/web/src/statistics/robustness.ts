/** Robust accuracy over ε from per-image records: the share of images that stay right within every radius. */
import { wilsonInterval } from '@funnel/attacks/statistics';
import { type AttackName, type EvaluationRecords, type RobustnessCurve, reachOf } from '@funnel/contracts';

export type NamedRecords = { readonly attack: AttackName; readonly records: EvaluationRecords };
type Norm = RobustnessCurve['norm'];

/**
 * The smallest norm at which any of the attacks fooled each image: 0 for one that is wrong already, infinity for one that none
 * fooled. The worst case is taken image by image, not attack by attack, and over attacks of every norm: all norms are
 * measured on every result, so a find of an L∞ attack is a find in L2 as well.
 */
export const worstDistances = (evaluations: readonly NamedRecords[], norm: Norm): Map<number, number> => {
  const worst = new Map<number, number>();
  for (const { records } of evaluations)
    for (const [row, image] of records.index.entries()) {
      const found = records.success[row]
        ? (records[norm][row] ?? Number.POSITIVE_INFINITY)
        : Number.POSITIVE_INFINITY;
      const distance = records.correct[row] ? found : 0;
      worst.set(image, Math.min(worst.get(image) ?? Number.POSITIVE_INFINITY, distance));
    }
  return worst;
};

/** Radii from 0 to `most`. */
export const evenRadii = (most: number, points = 81): number[] =>
  Array.from({ length: points }, (_, i) => (most * i) / (points - 1));

/**
 * The curve at these radii, with 95 % Wilson intervals. A fixed-ε attack bounds the smallest perturbation from
 * above only, so the curve is an upper bound of the true robust accuracy, as every attack's is.
 */
export const robustnessCurve = (
  evaluations: readonly NamedRecords[],
  norm: Norm,
  epsilon: readonly number[],
): RobustnessCurve => {
  const distances = [...worstDistances(evaluations, norm).values()].sort((a, b) => a - b);
  const n = distances.length;
  let fooled = 0;
  const kept = epsilon.map((radius) => {
    // An image that is wrong when clean (distance 0) is fooled at every radius, 0 included.
    const reach = reachOf(radius);
    while (fooled < n && distances[fooled]! <= reach) fooled += 1;
    return n - fooled;
  });
  const intervals = kept.map((right) => wilsonInterval(right, n));
  return {
    norm,
    images: n,
    attacks: evaluations.map(({ attack }) => attack),
    epsilon: [...epsilon],
    accuracy: kept.map((right) => (n === 0 ? 0 : right / n)),
    low: intervals.map(([low]) => low),
    high: intervals.map(([, high]) => high),
  };
};

/** A radius that shows the whole fall: the 98th percentile of the finite distances, or `usual` when that is larger or none is. */
export const curveExtent = (evaluations: readonly NamedRecords[], norm: Norm, usual: number): number => {
  const finite = [...worstDistances(evaluations, norm).values()].filter((d) => Number.isFinite(d) && d > 0);
  finite.sort((a, b) => a - b);
  const most = finite[Math.floor(finite.length * 0.98)] ?? 0;
  return Math.max(usual, most);
};

export type Point = { readonly x: number; readonly y: number };

/**
 * The points that no other point beats in both coordinates (greater is better in both), by growing x. Of equal points the first is
 * kept. O(n log n).
 */
export const paretoFront = <P extends Point>(points: readonly P[]): P[] => {
  const sorted = [...points].sort((a, b) => b.x - a.x || b.y - a.y);
  const front: P[] = [];
  for (const point of sorted) if (front.length === 0 || point.y > front.at(-1)!.y) front.push(point);
  return front.reverse();
};
