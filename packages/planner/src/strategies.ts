/** How the points of a search space are chosen. A strategy of the sweep file is an entry here, which does not compile while one is missing. */
import type { Dimension, HyperparameterName, KnobValue, Search } from '@funnel/contracts';
import { sha256 } from './identity.ts';
import { countValues, drawValue, listValues } from './values.ts';

export type Dimensions = readonly (readonly [HyperparameterName, Dimension])[];
export type Point = Readonly<Record<string, KnobValue>>;

type Strategy<S extends Search> = {
  /** Points at most, without making them. */
  readonly count: (dimensions: Dimensions, search: S) => number;
  /** Each once, in a fixed order. */
  readonly points: (dimensions: Dimensions, search: S) => readonly Point[];
};

/** Later knobs turn fastest, like the digits of a number. */
const grid: Strategy<Extract<Search, { strategy: 'grid' }>> = {
  // A continuous range counts as one here: listValues refuses it with its own message.
  count: (dimensions) =>
    dimensions.reduce((product, [, dimension]) => product * (countValues(dimension) ?? 1), 1),
  points: (dimensions) =>
    dimensions.reduce<readonly Point[]>(
      (points, [name, dimension]) => {
        const values = listValues(name, dimension);
        return points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
      },
      [{}],
    ),
};

/** Uniform in [0, 1), from the first 52 bits of a hash: a draw depends on the search's seed, its number and its knob alone. */
const uniform = (...words: readonly (string | number)[]): number =>
  Number.parseInt(sha256(JSON.stringify(words)).slice(0, 13), 16) / 2 ** 52;

/** Draws until enough different points are there; a small space simply has fewer (each is tried at most 20 times as often as asked). */
const random: Strategy<Extract<Search, { strategy: 'random' }>> = {
  count: (_dimensions, { trials }) => trials,
  points: (dimensions, { trials, seed }) => {
    const points = new Map<string, Point>();
    for (let draw = 0; draw < trials * 20 && points.size < trials; draw++) {
      const point = Object.fromEntries(
        dimensions.map(([name, dimension]) => [
          name,
          drawValue(name, dimension, uniform('random search', seed, draw, name)),
        ]),
      );
      points.set(JSON.stringify(point), point);
    }
    return [...points.values()];
  },
};

const strategies = { grid, random } satisfies {
  readonly [Name in Search['strategy']]: Strategy<Extract<Search, { strategy: Name }>>;
};

const strategyOf = (search: Search) => strategies[search.strategy] as Strategy<Search>; // each is asked with the search that names it

export const countPoints = (dimensions: Dimensions, search: Search): number =>
  strategyOf(search).count(dimensions, search);

export const listPoints = (dimensions: Dimensions, search: Search): readonly Point[] =>
  strategyOf(search).points(dimensions, search);
