import type { EvaluationRecords } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { curveExtent, fateOf, paretoFront, radiiWith } from '../../src/statistics/robustness.ts';
import { uniformOf } from '../fake-api/digits.ts';

/** Per image: the distance at which the attack fooled it; null if it never did; 'wrong' if the clean image was misclassified. */
const records = (falls: readonly (number | null | 'wrong')[]): EvaluationRecords => ({
  index: falls.map((_, i) => i),
  label: falls.map(() => 0),
  correct: falls.map((fall) => fall !== 'wrong'),
  predicted: falls.map(() => 1),
  success: falls.map((fall) => typeof fall === 'number'),
  l2: falls.map((fall) => (typeof fall === 'number' ? 10 * fall : null)),
  linf: falls.map((fall) => (typeof fall === 'number' ? fall : null)),
  l0: falls.map(() => null),
  steps: falls.map(() => 1),
  queries: falls.map(() => 1),
});

const first = {
  attack: 'pgd-linf',
  settings: { epsilon: 0.3 },
  records: records([0.1, 0.3, null, 'wrong']),
} as const;

describe('robust accuracy over ε', () => {
  it('reaches to the given radius or to the largest distance', () => {
    expect(curveExtent([first], 'linf', 0.2)).toBe(0.3);
    expect(curveExtent([first], 'linf', 0.5)).toBe(0.5);
  });

  it('has a value at each ε for which the page shows a number', () => {
    const radii = radiiWith([8 / 255, 0.5, 3], 2);
    expect(radii).toHaveLength(82);
    expect(radii.slice(0, 4)).toEqual([0, 0.025, 8 / 255, 0.05]);
    expect(radii.at(-1)).toBe(2);
  });
});

const points = (n: number, seed: string) =>
  Array.from({ length: n }, (_, i) => ({
    x: Math.round(20 * uniformOf(`${seed}x${i}`)),
    y: Math.round(20 * uniformOf(`${seed}y${i}`)),
  }));

it('the Pareto front has exactly the points that no other point beats, as a comparison of all pairs shows', () => {
  for (const seed of ['a', 'b', 'c', 'd']) {
    const all = points(60, seed);
    const beaten = (p: { x: number; y: number }) =>
      all.some((q) => q.x >= p.x && q.y >= p.y && (q.x > p.x || q.y > p.y));
    const expected = new Set(all.filter((p) => !beaten(p)).map(({ x, y }) => `${x},${y}`));
    const front = paretoFront(all);
    expect(new Set(front.map(({ x, y }) => `${x},${y}`))).toEqual(expected);
    expect(front).toHaveLength(expected.size);
    expect(front.map(({ x }) => x)).toEqual(front.map(({ x }) => x).toSorted((a, b) => a - b));
  }
});

it('of infinite points, the Pareto front keeps the one with the largest x', () => {
  const y = Number.POSITIVE_INFINITY;
  const all = [
    { x: 1, y },
    { x: 3, y },
    { x: 2, y: 9 },
    { x: 4, y: 1 },
    { x: 5, y: 0 },
  ];
  expect(paretoFront(all)).toEqual([all[1], all[3], all[4]]);
});

it('the Pareto front of no points is empty', () => {
  expect(paretoFront([])).toEqual([]);
});

it('an image that is wrong without an attack is not attacked, so it does not withstand', () => {
  const found = records([0.1, null, 'wrong']);
  expect([0, 1, 2].map((row) => fateOf(found, row))).toEqual(['fooled', 'withstood', 'not attacked']);
});
