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

it('has nothing of nothing', () => {
  expect(paretoFront([])).toEqual([]);
});
