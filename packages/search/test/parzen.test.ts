import { describe, expect, it } from 'vitest';
import { fitParzen, observe } from '../src/models/parzen.ts';
import { createRandom } from '../src/random.ts';
import { axesOf, type Point, type Space } from '../src/space.ts';

const space: Space = [
  { name: 'rate', dimension: { min: 1e-4, max: 1e-1, scale: 'log' } },
  { name: 'units', dimension: { min: 1, max: 12, scale: 'log' }, isWhole: true },
  { name: 'kind', dimension: ['a', 'b', 'c'] },
  { name: 'extra', dimension: [0.5, 1, 2], readWhere: { variable: 'kind', values: ['b'] } },
];
const axes = axesOf(space);
const points: readonly Point[] = [
  { rate: 1e-3, units: 3, kind: 'a' },
  { rate: 2e-3, units: 4, kind: 'b', extra: 2 },
  { rate: 5e-2, units: 12, kind: 'b', extra: 0.5 },
];
const density = fitParzen(
  axes,
  points.map((point) => observe(axes, point)),
  [1, 0.5, 1],
  0.2,
);
const probability = (point: Point): number => Math.exp(density.logDensity(observe(axes, point)));

/** Every point at a share of the continuous axis. */
const discretePoints = (share: number): Point[] =>
  Array.from({ length: 12 }, (_, units) => units + 1).flatMap((units) =>
    ['a', 'b', 'c'].flatMap((kind) => {
      const point = { rate: axes[0]!.valueAt(share), units, kind };
      return kind === 'b' ? [0.5, 1, 2].map((extra) => ({ ...point, extra })) : [point];
    }),
  );

describe('a kernel density over numbers, whole numbers, categories and a conditional list', () => {
  it('has the total 1', () => {
    const steps = 400;
    let total = 0;
    for (let i = 0; i < steps; i++)
      for (const point of discretePoints((i + 0.5) / steps)) total += probability(point) / steps;
    expect(total).toBeCloseTo(1, 4);
  });

  it('draws points as often as it says', () => {
    const random = createRandom('parzen test');
    const draws = 20_000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const { kind, units } = density.draw(random);
      counts.set(`${kind} ${units}`, (counts.get(`${kind} ${units}`) ?? 0) + 1);
    }
    const steps = 200;
    const expected = new Map<string, number>();
    for (let i = 0; i < steps; i++)
      for (const point of discretePoints((i + 0.5) / steps)) {
        const key = `${point.kind} ${point.units}`;
        expected.set(key, (expected.get(key) ?? 0) + probability(point) / steps);
      }
    for (const [key, share] of expected) {
      const deviation = Math.sqrt((share * (1 - share)) / draws);
      expect(Math.abs((counts.get(key) ?? 0) / draws - share), key).toBeLessThan(5 * deviation + 1e-4);
    }
  });

  it('is greater near the observations', () => {
    expect(probability(points[0]!)).toBeGreaterThan(probability({ ...points[0]!, rate: 0.1 }));
    expect(probability(points[0]!)).toBeGreaterThan(probability({ ...points[0]!, kind: 'c' }));
  });

  it('without observations is uniform', () => {
    const flat = fitParzen(axes, [], [], 0.2);
    const at = (point: Point): number => flat.logDensity(observe(axes, point));
    expect(at({ rate: 1e-3, units: 3, kind: 'a' })).toBeCloseTo(at({ rate: 5e-2, units: 3, kind: 'c' }), 12);
  });
});
