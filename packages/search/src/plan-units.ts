/** What is certain about a search beforehand: its units and their rungs. Points and outcomes come later. */
import { prepare } from './decide.ts';
import type { PlannedUnit } from './promotion/promotion.ts';
import { createRandom } from './random.ts';
import type { Search } from './search.ts';
import { type Axis, allPoints, choosePoint, keyOf, type Point } from './space.ts';

/** Draws for each point that is wanted. */
const maxDraws = 20;

/** So many different random points, or all points of a space that has fewer. */
const drawPoints = (axes: readonly Axis[], count: number): readonly Point[] => {
  const all = allPoints(axes, count);
  if (all) return all;
  const random = createRandom('plan of points');
  const points = new Map<string, Point>();
  for (let draw = 0; points.size < count && draw < count * maxDraws; draw++) {
    const point = choosePoint(axes, (axis) => axis.valueAt(random.uniform()));
    points.set(keyOf(axes, point), point);
  }
  return [...points.values()];
};

/**
 * `points`: random ones in place of those that the search will propose, fewer than `configurations` if the space has fewer. `units`: which of
 * them train at which rung if all outcomes are good; for ASHA, if outcomes are random. `missing`: see `PlannedUnits`. Throws INVALID_REQUEST.
 */
export const planUnits = (
  search: Search,
  configurations: number,
): {
  readonly points: readonly Point[];
  readonly units: readonly PlannedUnit[];
  readonly missing: number;
} => {
  const { axes, rule } = prepare(search);
  const points = drawPoints(axes, configurations);
  return { points, ...rule.plan(points.length) };
};
