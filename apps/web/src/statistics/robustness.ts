/** Robust accuracy over ε from per-image records, and the Pareto front. */
import { wilsonInterval } from '@funnel/attacks/statistics';
import { type AttackName, type EvaluationRecords, type RobustnessCurve, reachOf } from '@funnel/contracts';

export type NamedRecords = { readonly attack: AttackName; readonly records: EvaluationRecords };
type Norm = RobustnessCurve['norm'];

/**
 * For each image, the smallest norm of a change with which any of the attacks fooled it: 0 if it is classified wrongly without a
 * change, infinity if no attack fooled it. Attacks of all norms count, because every result is measured in all norms.
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

/** Evenly spaced radii from 0 to `max`. */
export const evenRadii = (max: number, points = 81): number[] =>
  Array.from({ length: points }, (_, i) => (max * i) / (points - 1));

/**
 * Robust accuracy at these radii: the share of images that no attack fools with a change of at most that size. With 95 % Wilson
 * intervals. The curve is an upper bound: a stronger attack could fool more images.
 */
export const robustnessCurve = (
  evaluations: readonly NamedRecords[],
  norm: Norm,
  epsilon: readonly number[],
): RobustnessCurve => {
  const distances = [...worstDistances(evaluations, norm).values()].sort((a, b) => a - b);
  const n = distances.length;
  let fooled = 0;
  const standing = epsilon.map((radius) => {
    // Images that are wrong without a change (distance 0) count as fooled at every radius, 0 included.
    const maxDistance = reachOf(radius);
    while (fooled < n && distances[fooled]! <= maxDistance) fooled += 1;
    return n - fooled;
  });
  const intervals = standing.map((right) => wilsonInterval(right, n));
  return {
    norm,
    images: n,
    attacks: evaluations.map(({ attack }) => attack),
    epsilon: [...epsilon],
    accuracy: standing.map((right) => (n === 0 ? 0 : right / n)),
    low: intervals.map(([low]) => low),
    high: intervals.map(([, high]) => high),
  };
};

/** A radius at which the curve has fallen: the 98th percentile of the finite distances, but at least `min`. */
export const curveExtent = (evaluations: readonly NamedRecords[], norm: Norm, min: number): number => {
  const finite = [...worstDistances(evaluations, norm).values()].filter((d) => Number.isFinite(d) && d > 0);
  finite.sort((a, b) => a - b);
  const percentile98 = finite[Math.floor(finite.length * 0.98)] ?? 0;
  return Math.max(min, percentile98);
};

type Point = { readonly x: number; readonly y: number };

/**
 * The points that no other point beats in both coordinates, in ascending order of x. In both, greater is better. Of equal points, the
 * first is kept. O(n log n).
 */
export const paretoFront = <P extends Point>(points: readonly P[]): P[] => {
  const sorted = [...points].sort((a, b) => b.x - a.x || b.y - a.y);
  const front: P[] = [];
  for (const point of sorted) if (front.length === 0 || point.y > front.at(-1)!.y) front.push(point);
  return front.reverse();
};

/** What became of the image in a row of an evaluation. An image that the classifier gets wrong without an attack is not attacked. */
export const fateOf = (
  { correct, success }: Pick<EvaluationRecords, 'correct' | 'success'>,
  row: number,
): 'fooled' | 'withstood' | 'not attacked' =>
  success[row] ? 'fooled' : correct[row] ? 'withstood' : 'not attacked';
