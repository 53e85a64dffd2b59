import { describe, expect, it } from 'vitest';
import {
  bestFirst,
  frontsOf,
  growingHypervolume,
  hypervolume,
  paretoFront,
  spreadSubset,
} from '../src/models/pareto.ts';
import { createRandom } from '../src/random.ts';

describe('hypervolume', () => {
  it.each([
    ['one point', [[2, 3]], [0, 0], 6],
    [
      'a staircase',
      [
        [1, 3],
        [2, 2],
        [3, 1],
      ],
      [0, 0],
      6,
    ],
    [
      'a dominated point and one below the reference',
      [
        [2, 2],
        [1, 1],
        [5, -1],
      ],
      [0, 0],
      4,
    ],
    [
      'equal points',
      [
        [2, 2],
        [2, 2],
      ],
      [1, 1],
      1,
    ],
    [
      'three objectives',
      [
        [2, 1, 1],
        [1, 2, 1],
        [1, 1, 2],
      ],
      [0, 0, 0],
      4,
    ],
    ['no points', [], [0, 0], 0],
  ])('of %s, by hand', (_, points, reference, volume) => {
    expect(hypervolume(points, reference)).toBe(volume);
  });

  it('of four objectives is the share of random points that a point dominates', () => {
    const random = createRandom('pareto test');
    const draw = () => [0, 1, 2, 3].map(() => random.uniform());
    const points = Array.from({ length: 6 }, draw);
    const samples = 40_000;
    let dominated = 0;
    for (let i = 0; i < samples; i++) {
      const sample = draw();
      if (points.some((point) => point.every((utility, k) => utility >= sample[k]!))) dominated++;
    }
    expect(Math.abs(hypervolume(points, [0, 0, 0, 0]) - dominated / samples)).toBeLessThan(0.01);
  });
});

it('fronts, by hand', () => {
  const points = [
    [1, 1],
    [3, 1],
    [1, 3],
    [2, 2],
    [0, 0],
    [3, 1],
  ];
  expect([...frontsOf(points)]).toEqual([[1, 2, 3, 5], [0], [4]]);
});

it('a spread subset is the greedy one', () => {
  const random = createRandom('subset test');
  const points = Array.from({ length: 12 }, () => [random.uniform(), random.uniform(), random.uniform()]);
  const chosen: number[] = [];
  for (let size = 0; size < 5; size++) {
    const volumes = points.map((_, i) =>
      hypervolume(
        [...chosen, i].map((at) => points[at]!),
        [0, 0, 0],
      ),
    );
    chosen.push(volumes.indexOf(Math.max(...volumes)));
  }
  expect(spreadSubset(points, 5, [0, 0, 0])).toEqual(chosen);
});

it('the best come first: by utility, or by front', () => {
  expect(bestFirst([[1], [3], [2], [3]])).toEqual([1, 3, 2, 0]);
  expect(bestFirst([[1], [3], [2], [3]], 2)).toEqual([1, 3]);
  expect(
    bestFirst([
      [1, 1],
      [3, 1],
      [1, 3],
      [0, 0],
    ]).slice(2),
  ).toEqual([0, 3]);
  expect(bestFirst([])).toEqual([]);
});

it('the Pareto front has what no other point dominates, equal points once', () => {
  const points = [
    [1, 1],
    [3, 1],
    [1, 3],
    [2, 2],
    [3, 1],
    [Number.POSITIVE_INFINITY, 0],
  ];
  expect(paretoFront(points)).toEqual([1, 2, 3, 5]);
});

it.each([1, 2, 3, 4])('the volume of %i objectives grows to that of all points', (objectives) => {
  const random = createRandom('growing', objectives);
  const points = Array.from({ length: 25 }, () =>
    Array.from({ length: objectives }, () => random.uniform() - 0.2),
  );
  const reference = points[0]!.map(() => 0);
  for (const [index, volume] of growingHypervolume(points, reference).entries())
    expect(volume).toBeCloseTo(hypervolume(points.slice(0, index + 1), reference), 12);
});
