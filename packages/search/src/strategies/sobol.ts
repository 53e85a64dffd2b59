/** Quasi-random search: the scrambled Sobol sequence, which spreads points better than chance. */
import { sobolPoint } from '../models/sobol-sequence.ts';
import { createRandom } from '../random.ts';
import { pointAt } from '../space.ts';
import { randomPoint } from './random.ts';
import type { Proposal, Strategy } from './strategy.ts';

/** The point `index` of the sequence that the seed scrambles. A random point takes the place of a duplicate. */
export const spreadPoint = (proposal: Proposal) => {
  const { axes, index, attempt, seed } = proposal;
  if (attempt > 0) return randomPoint(proposal);
  const random = createRandom('sobol', seed);
  return pointAt(
    axes,
    sobolPoint(
      index,
      axes.map(() => random.below(2 ** 32)),
    ),
  );
};

export const sobol: Strategy = {
  title: 'Sobol',
  description: 'Covers the space evenly without learning: for a first look, or as a baseline.',
  maxObjectives: 4,
  handlesCategories: true,
  propose: spreadPoint,
};
