/** How the points of a search space are chosen. A strategy of the sweep file is an entry here, which does not compile while one is missing. */
import { AppError, type HyperparameterValue, type Search } from '@funnel/contracts';
import { sha256 } from './identity.ts';
import type { Axis } from './values.ts';

export type Point = Readonly<Record<string, HyperparameterValue>>;

/** `draws`: points drawn, those that were there already included; null where none is left to chance. */
export type Chosen = { readonly points: readonly Point[]; readonly draws: number | null };

type Strategy<S extends Search> = {
  /** Points at most; makes none of them. */
  readonly count: (axes: readonly Axis[], search: S) => number;
  /** Each once, in a fixed order. */
  readonly choose: (axes: readonly Axis[], search: S) => Chosen;
};

/** Different points of the space; Infinity where a hyperparameter has a continuous range of reals. */
export const spaceSize = (axes: readonly Axis[]): number =>
  axes.reduce((product, { size }) => product * size, 1);

type Walked = Axis & { readonly at: NonNullable<Axis['at']> };

/** Throws CONTINUOUS_GRID. */
const walked = (axes: readonly Axis[]): readonly Walked[] =>
  axes.map((axis) => {
    const { hyperparameter, at } = axis;
    if (at) return { ...axis, at };
    throw new AppError(
      'CONTINUOUS_GRID',
      `Expected a step or a count for the range of ${hyperparameter}, since a grid cannot walk a continuous range`,
      {
        issues: [
          { path: `space.${hyperparameter}`, expected: 'a step or a count', received: 'a continuous range' },
        ],
      },
    );
  });

/** Later hyperparameters turn fastest, like the digits of a number. */
const grid: Strategy<Extract<Search, { strategy: 'grid' }>> = {
  count: (axes) => spaceSize(walked(axes)),
  choose: (axes) => {
    const digits = walked(axes)
      .map(({ hyperparameter, size, at }) => ({
        hyperparameter,
        values: Array.from({ length: size }, (_, index) => at(index)),
      }))
      .reverse();
    const points = Array.from({ length: spaceSize(axes) }, (_, number) => {
      const point: Record<string, HyperparameterValue> = {};
      let rest = number;
      for (const { hyperparameter, values } of digits) {
        point[hyperparameter] = values[rest % values.length]!;
        rest = Math.floor(rest / values.length);
      }
      return point;
    });
    return { points, draws: null };
  },
};

/** Uniform in [0, 1), from the first 52 bits of a hash: a draw depends on the search's seed, its number and its hyperparameter alone. */
const uniform = (...words: readonly (string | number)[]): number =>
  Number.parseInt(sha256(JSON.stringify(words)).slice(0, 13), 16) / 2 ** 52;

/** Draws for each point that is wanted, before a search gives up looking for new ones. */
const maxTries = 20;

/** Ends when it has as many points as were asked for or as the space has, or when it has tried `mostTries` times for each of these. */
const random: Strategy<Extract<Search, { strategy: 'random' }>> = {
  count: (_axes, { trials }) => trials,
  choose: (axes, { trials, seed }) => {
    const wanted = Math.min(trials, spaceSize(axes));
    const points = new Map<string, Point>();
    let draws = 0;
    while (points.size < wanted && draws < wanted * maxTries) {
      const point: Record<string, HyperparameterValue> = {};
      for (const { hyperparameter, size, draw } of axes)
        point[hyperparameter] = draw(size === 1 ? 0 : uniform('random search', seed, draws, hyperparameter));
      points.set(JSON.stringify(point), point);
      draws += 1;
    }
    return { points: [...points.values()], draws };
  },
};

const strategies = { grid, random } satisfies {
  readonly [Name in Search['strategy']]: Strategy<Extract<Search, { strategy: Name }>>;
};

const strategyOf = (search: Search) => strategies[search.strategy] as Strategy<Search>; // each is asked with the search that names it

export const countPoints = (axes: readonly Axis[], search: Search): number =>
  strategyOf(search).count(axes, search);

export const choosePoints = (axes: readonly Axis[], search: Search): Chosen =>
  strategyOf(search).choose(axes, search);
