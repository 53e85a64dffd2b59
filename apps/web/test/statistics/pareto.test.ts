import { expect, it } from 'vitest';
import { paretoFront } from '../../src/statistics/pareto.ts';
import { uniformOf } from '../fake-api/random.ts';

const points = (n: number, seed: string) =>
  Array.from({ length: n }, (_, i) => ({
    x: Math.round(20 * uniformOf(`${seed}x${i}`)),
    y: Math.round(20 * uniformOf(`${seed}y${i}`)),
  }));

it('keeps exactly the points that no other beats, as trying all pairs does', () => {
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

it('has room for what is infinite: of those the one with the greatest x beats all to its left', () => {
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

it('has nothing of nothing', () => {
  expect(paretoFront([])).toEqual([]);
});
