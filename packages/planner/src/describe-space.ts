/** What a plan says of its search space: the values of each hyperparameter, and what of the definition makes no trials of its own. */
import type { Plan, PlannedHyperparameter, RecipeName, Search, SearchSpace } from '@funnel/contracts';
import type { Axis } from './values.ts';

export type SpaceReport = Required<Pick<Plan, 'space' | 'leftOut'>>;

/** Values of a hyperparameter that a plan shows: those of most sweeps, and the beginning of the others. */
const maxShown = 10;

const describeAxis = (
  { hyperparameter, asked, size, at }: Axis,
  space: SearchSpace,
): PlannedHyperparameter => {
  const dimension = space[hyperparameter]!;
  if (at && asked !== null) {
    const values = Array.from({ length: Math.min(size, maxShown) }, (_, index) => at(index));
    return { hyperparameter, asked, different: size, values, continuous: null };
  }
  const different = Number.isFinite(size) ? size : null;
  const { min, max, scale } = dimension as Extract<typeof dimension, { readonly min: number }>; // only a range is continuous
  return { hyperparameter, asked, different, values: [], continuous: { min, max, scale } };
};

export const describeAxes = (axes: readonly Axis[], space: SearchSpace): PlannedHyperparameter[] =>
  axes.map((axis) => describeAxis(axis, space));

type Named = { readonly name: string; readonly asked: number; readonly different: number };

const number = (value: number): string => value.toLocaleString('en-US');

export const sameTwice = (dimensions: readonly Named[]): readonly string[] =>
  dimensions.flatMap(({ name, asked, different }) =>
    different < asked ? [`${name}: ${number(asked)} asked for, ${number(different)} different`] : [],
  );

/** What a search found for one recipe. `size`: the points of its space. */
export type Found = {
  readonly recipe: RecipeName;
  readonly points: number;
  readonly draws: number | null;
  readonly size: number;
};

/** A random search that found fewer points than it was asked for. */
export const shortOf = (search: Search, found: readonly Found[]): readonly string[] => {
  if (search.strategy !== 'random') return [];
  return found.flatMap(({ recipe, points, draws, size }) => {
    if (points === search.trials) return [];
    const which = found.length === 1 ? '' : `${recipe}, `;
    const why = points === size ? 'the space has no more' : `${number(draws ?? 0)} draws found no more`;
    return [`${which}${number(points)} of ${number(search.trials)}: ${why}`];
  });
};
