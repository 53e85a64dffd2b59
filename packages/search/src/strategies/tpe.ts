/**
 * The tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127): one density for the good points, one for the
 * rest, and of some points drawn from the first, the one at which the first is greatest relative to the second.
 */

import { bestFirst } from '../models/pareto.ts';
import { fitParzen, type Observed, observe } from '../models/parzen.ts';
import { finiteUtilities, hasEnded, measuredOf, type Observation, startUpPoints } from '../observation.ts';
import { createRandom } from '../random.ts';
import type { Point } from '../space.ts';
import { randomPoint } from './random.ts';
import type { Proposal, Strategy } from './strategy.ts';

/** Candidates for each axis, and at most. The usual 24 are too few for more than two axes, and more are too greedy for two. */
const candidatesPerAxis = 12;
const maxCandidates = 64;

/**
 * How much of a category's kernel is uniform. Draws of good points keep trying the other categories, while the density of the rest
 * is sharper: a category that was rarely tried near the good points scores well there. With 0.1 for both, a search whose first good points have
 * the wrong category keeps it.
 */
const uniformShares = { good: 0.8, rest: 0.3 };

/** The number of good points among `count` measured ones. A front of several objectives needs more points than one best value. */
const goodCount = (count: number, objectives: number): number =>
  Math.min(Math.ceil(0.1 * count), 25 * objectives);

/** The newest 25 observations have the weight 1, older ones less, the oldest almost none. */
const recencyWeights = (count: number): number[] => {
  const ramp = Math.max(0, count - 25);
  return Array.from({ length: count }, (_, index) =>
    index >= ramp ? 1 : 1 / count + (index / Math.max(1, ramp - 1)) * (1 - 1 / count),
  );
};

/** Pending and bad points count as points that are not good. */
const split = (observations: readonly Observation[]) => {
  const measured = measuredOf(observations);
  const utilities = finiteUtilities(measured);
  const good = new Set<Observation>(
    bestFirst(utilities, goodCount(measured.length, utilities[0]?.length ?? 1)).map(
      (index) => measured[index]!,
    ),
  );
  return {
    good: observations.filter((observation) => good.has(observation)),
    rest: observations.filter((observation) => !good.has(observation)),
    objectives: utilities[0]?.length ?? 1,
  };
};

const propose = (proposal: Proposal): Point => {
  const { axes, observations, index, attempt, seed } = proposal;
  if (observations.filter(({ outcome }) => hasEnded(outcome)).length < startUpPoints)
    return randomPoint(proposal);
  const { good, rest, objectives } = split(observations);
  const observed = (list: readonly Observation[]): Observed[] =>
    list.map(({ point }) => observe(axes, point));
  const goodDensity = fitParzen(
    axes,
    observed(good),
    objectives === 1 ? recencyWeights(good.length) : good.map(() => 1),
    uniformShares.good,
  );
  const restDensity = fitParzen(axes, observed(rest), recencyWeights(rest.length), uniformShares.rest);
  const random = createRandom('tpe', seed, index, attempt);
  let best: Point | null = null;
  let bestRatio = Number.NEGATIVE_INFINITY;
  const candidates = Math.min(maxCandidates, candidatesPerAxis * axes.length);
  for (let i = 0; i < candidates; i++) {
    const point = goodDensity.draw(random);
    const cells = observe(axes, point);
    const ratio = goodDensity.logDensity(cells) - restDensity.logDensity(cells);
    if (best === null || ratio > bestRatio) [best, bestRatio] = [point, ratio];
  }
  return best!;
};

export const tpe: Strategy = {
  title: 'TPE',
  description:
    'The choice for most searches: any kind of hyperparameter, one objective or several, ten to some thousand trials.',
  maxObjectives: 4,
  handlesCategories: true,
  propose,
};
