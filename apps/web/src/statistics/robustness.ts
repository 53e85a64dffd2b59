/** The parts of the charts of robust accuracy over ε that only pages need, and the Pareto front. */
import {
  type EvaluationRecords,
  type RobustnessCurve,
  type RunRecords,
  worstDistances,
} from '@funnel/contracts';

/** Evenly spaced radii from 0 to `max`. */
const evenRadii = (max: number): number[] => Array.from({ length: 81 }, (_, i) => (max * i) / 80);

/** Evenly spaced radii, and those of `named` on the axis: the curve has a value at each ε for which a page shows a number. */
export const radiiWith = (named: readonly number[], max: number): number[] =>
  [...new Set([...evenRadii(max), ...named.filter((radius) => radius <= max)])].sort((a, b) => a - b);

/** A radius at which the curve has fallen: the 98th percentile of the finite distances, but at least `min`. */
export const curveExtent = (
  evaluations: readonly RunRecords[],
  norm: RobustnessCurve['norm'],
  min: number,
): number => {
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
