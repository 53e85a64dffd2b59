/**
 * NSGA-II (Deb et al. 2002), one child at a time: the parents come from the best points so far, so no proposal waits for a whole generation.
 * Simulated binary crossover and polynomial mutation work on shares; categories cross over and mutate as a whole.
 */
import { frontsOf } from '../models/pareto.ts';
import { finiteUtilities, measuredOf, startUpPoints } from '../observation.ts';
import { createRandom, type Random } from '../random.ts';
import { type Axis, type Point, pointAt, sharesOf } from '../space.ts';
import { spreadPoint } from './sobol.ts';
import type { Proposal, Strategy } from './strategy.ts';

const populationSize = 20;
const crossoverProbability = 0.9;
/** The larger the index, the closer a child is to its parents. */
const crossoverIndex = 15;
const mutationIndex = 20;

/** The distance between the neighbours of each member along each objective, in shares of the front's extent (Deb et al. 2002, §III B). */
const crowdingDistances = (front: readonly (readonly number[])[]): number[] => {
  const distances = front.map(() => 0);
  for (let objective = 0; objective < front[0]!.length; objective++) {
    const order = front
      .map((_, member) => member)
      .sort((a, b) => front[a]![objective]! - front[b]![objective]! || a - b);
    const utility = (rank: number): number => front[order[rank]!]![objective]!;
    const extent = utility(order.length - 1) - utility(0) || 1;
    for (const [rank, member] of order.entries())
      distances[member]! +=
        rank === 0 || rank === order.length - 1
          ? Number.POSITIVE_INFINITY
          : (utility(rank + 1) - utility(rank - 1)) / extent;
  }
  return distances;
};

/** A front, the least crowded members first. */
const spreadFirst = (
  front: readonly number[],
  utilities: readonly (readonly number[])[],
): readonly number[] => {
  const distances = crowdingDistances(front.map((index) => utilities[index]!));
  return front
    .map((index, member) => ({ index, distance: distances[member]! }))
    .sort((a, b) => b.distance - a.distance || a.index - b.index)
    .map(({ index }) => index);
};

/** The best points, best first: by front, then the least crowded. */
const populationOf = (utilities: readonly (readonly number[])[]): readonly number[] => {
  const population: number[] = [];
  for (const front of frontsOf(utilities)) {
    population.push(...spreadFirst(front, utilities));
    if (population.length >= populationSize) break;
  }
  return population.slice(0, populationSize);
};

/** Both parents' shares → the child's, before mutation (Deb & Agrawal 1995). The result may lie outside of [0, 1]. */
const crossed = (a: number, b: number, random: Random): number => {
  const share = random.uniform();
  const exponent = 1 / (crossoverIndex + 1);
  const spread = share < 0.5 ? (2 * share) ** exponent : (1 / (2 - 2 * share)) ** exponent;
  const side = random.uniform() < 0.5 ? 1 : -1;
  return 0.5 * (a + b + side * spread * (b - a));
};

const mutated = (share: number, random: Random): number => {
  const draw = random.uniform();
  const exponent = 1 / (mutationIndex + 1);
  return share + (draw < 0.5 ? (2 * draw) ** exponent - 1 : 1 - (2 - 2 * draw) ** exponent);
};

const inside = (share: number): number => Math.min(1, Math.max(0, share));

/** NaN where a parent does not read the axis; the other parent's share takes its place, or a uniform one. */
const childShare = (
  axis: Axis,
  parents: readonly [number, number],
  mutation: number,
  random: Random,
): number => {
  const shares = parents.filter((share) => !Number.isNaN(share));
  const [a = random.uniform(), b = a] = random.uniform() < 0.5 ? shares : shares.reverse();
  const isMutated = random.uniform() < mutation;
  if (axis.kind === 'categories') return isMutated ? random.uniform() : a;
  const child = random.uniform() < crossoverProbability ? crossed(a, b, random) : a;
  return inside(isMutated ? mutated(inside(child), random) : child);
};

const propose = (proposal: Proposal): Point => {
  const { axes, observations, index, attempt, seed } = proposal;
  const measured = measuredOf(observations);
  if (index < populationSize || measured.length < startUpPoints) return spreadPoint(proposal);
  const population = populationOf(finiteUtilities(measured));
  const random = createRandom('nsga2', seed, index, attempt);
  // The population is sorted: the better of two is the one that comes earlier.
  const parent = (): Float64Array => {
    const rank = Math.min(random.below(population.length), random.below(population.length));
    return sharesOf(axes, measured[population[rank]!]!.point);
  };
  const [mother, father] = [parent(), parent()];
  return pointAt(
    axes,
    axes.map((axis, at) => childShare(axis, [mother[at]!, father[at]!], 1 / axes.length, random)),
  );
};

export const nsga2: Strategy = {
  title: 'NSGA-II',
  description: 'Evolution for several objectives and some hundred trials or more.',
  maxObjectives: 4,
  handlesCategories: true,
  propose,
};
