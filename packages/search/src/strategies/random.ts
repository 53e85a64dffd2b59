/** Random search: uniform on the scale of each axis. */
import { createRandom } from '../random.ts';
import { choosePoint } from '../space.ts';
import type { Proposal, Strategy } from './strategy.ts';

/** A uniform point. Every strategy draws one where it has nothing better. */
export const randomPoint = ({ axes, index, attempt, seed }: Proposal) => {
  const random = createRandom('random search', seed, index, attempt);
  return choosePoint(axes, (axis) => axis.valueAt(random.uniform()));
};

export const random: Strategy = {
  title: 'Random',
  description: 'A baseline, and a sampler for promotion that assumes nothing.',
  maxObjectives: 4,
  handlesCategories: true,
  propose: randomPoint,
};
