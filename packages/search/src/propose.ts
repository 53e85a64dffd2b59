/** The point of a proposal: one that a user gave, or one that the strategy chooses. */
import type { DecisionSource } from '@funnel/contracts';
import { type Decisions, isProposal } from './decision.ts';
import { hasEnded, startUpPoints } from './observation.ts';
import { observationsOf } from './promotion/ranking.ts';
import { createRandom } from './random.ts';
import type { Search } from './search.ts';
import { type Axis, allPoints, checkPoint, keyOf, type Point } from './space.ts';
import { randomPoint } from './strategies/random.ts';
import { strategies } from './strategies/registry.ts';
import type { Proposal } from './strategies/strategy.ts';

/** A point, and where it comes from. */
export type Proposed = {
  readonly point: Point;
  readonly source: Extract<DecisionSource, 'start' | 'strategy' | 'try' | 'hand'>;
};

/** Draws of a strategy, then uniform draws, until the point is new. */
const strategyDraws = 10;
const maxDraws = 20;
/** If the draws find no new point, a space with at most this many points is searched for one. */
const maxListed = 10_000;

/** A point that the search does not have yet; null if its space has no more. */
const newPoint = ({ strategy }: Search, proposal: Proposal, known: ReadonlySet<string>): Point | null => {
  const { axes, seed, index } = proposal;
  for (let attempt = 0; attempt < maxDraws; attempt++) {
    const propose = attempt < strategyDraws ? strategies[strategy].propose : randomPoint;
    const point = propose({ ...proposal, attempt });
    if (!known.has(keyOf(axes, point))) return point;
  }
  const left = allPoints(axes, maxListed)?.filter((point) => !known.has(keyOf(axes, point))) ?? [];
  return left[createRandom('points left', seed, index).below(left.length)] ?? null;
};

/**
 * The next point; null if the space has no more. Points of users come first: those that were given by hand, then those of the sweep file
 * that the search does not have yet. Throws INVALID_REQUEST for a point of a user that is not in the space.
 */
export const propose = (search: Search, axes: readonly Axis[], seen: Decisions): Proposed | null => {
  const [byHand] = search.handPoints;
  if (byHand) return { point: checkPoint(axes, byHand), source: 'hand' };
  const proposals = seen.filter((decision, number) => isProposal(decision, number));
  const proposed = new Set(proposals.map(({ point }) => keyOf(axes, point)));
  const given = search.tryFirst
    .map((point) => checkPoint(axes, point))
    .find((point) => !proposed.has(keyOf(axes, point)));
  if (given) return { point: given, source: 'try' };
  const observations = [...search.earlier, ...observationsOf(seen)];
  const known = new Set([...search.earlier.map(({ point }) => keyOf(axes, point)), ...proposed]);
  const { seed } = search;
  const index = proposals.length;
  const point = newPoint(search, { axes, observations, index, attempt: 0, seed }, known);
  if (!point) return null;
  const outcomes = observations.filter(({ outcome }) => hasEnded(outcome)).length;
  return { point, source: outcomes < startUpPoints ? 'start' : 'strategy' };
};
