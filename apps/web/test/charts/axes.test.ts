import { describe, expect, it } from 'vitest';
import { type AxisSpec, brushedRows, createAxis, niceTicks } from '../../src/charts/parallel/axes.ts';

const spec = (values: AxisSpec['values'], more: Partial<AxisSpec> = {}): AxisSpec => ({
  key: 'k',
  title: 'K',
  scale: 'linear',
  values,
  ...more,
});

describe('an axis', () => {
  it('is linear or logarithmic', () => {
    const linear = createAxis(spec([0, 5, 10]));
    expect([0, 5, 10].map(linear.position)).toEqual([0, 0.5, 1]);
    const log = createAxis(spec([0.01, 0.1, 1], { scale: 'log' }));
    expect(log.position(0.1)).toBeCloseTo(0.5, 12);
    expect(log.labelAt(0.5)).toBe('0.1');
  });

  it('has no logarithm of zero', () => {
    expect(createAxis(spec([0, 1, 10], { scale: 'log' })).position(1)).toBeCloseTo(0.1, 12);
  });

  it('gives each word a position', () => {
    const axis = createAxis(spec(['b', 'a', null]));
    expect(axis.ticks.map(({ label }) => label)).toEqual(['a', 'b']);
    expect(axis.position('a')).toBe(0.25);
    expect(axis.position(null)).toBeNull();
  });

  it('puts a single value in the middle', () => {
    expect(createAxis(spec([3, 3])).position(3)).toBe(0.5);
  });

  it('has infinity at its end, away from the finite values', () => {
    const infinity = Number.POSITIVE_INFINITY;
    const axis = createAxis(spec([1, infinity, 3, infinity, null, 2]));
    const [one, two, three, end] = [1, 2, 3, infinity].map(axis.position) as [number, number, number, number];
    expect([one, end]).toEqual([0, 1]);
    expect(three).toBeLessThan(0.95);
    expect(two).toBeCloseTo(three / 2, 12);
    expect(axis.ticks.map(({ label }) => label)).toEqual(['1', '2', '3', '∞']);
    expect([0, three, 1].map(axis.labelAt)).toEqual(['1', '3', '∞']);
    expect(axis.gaps).toBe(true);
    const many = createAxis(spec([...Array.from({ length: 20 }, (_, i) => i), infinity]));
    expect(many.ticks.at(-1)).toEqual({ at: 1, label: '∞' });
    expect(many.position(19)).toBe(three);
    const log = createAxis(spec([0.01, 1, infinity], { scale: 'log' }));
    expect(log.labelAt(log.position(0.1)!)).toBe('0.1');
    const alone = createAxis(spec([infinity, infinity]));
    expect([alone.position(infinity), alone.ticks]).toEqual([1, [{ at: 1, label: '∞' }]]);
  });

  it('has ticks at round numbers within its range', () => {
    expect(niceTicks(0, 1, false)).toEqual([0, 0.5, 1]);
    expect(niceTicks(0.953, 0.985, false)).toEqual([0.96, 0.97, 0.98]);
    expect(niceTicks(1e-4, 0.1, true)).toEqual([1e-4, 1e-3, 1e-2, 0.1].map((v) => expect.closeTo(v, 12)));
  });
});

describe('ticks that read the same', () => {
  it('are one tick, at the first of their values', () => {
    const format = (value: number) => `${(100 * value).toFixed(1)}%`;
    const { ticks } = createAxis(spec([0.9671, 0.9672, 0.98], { format }));
    expect(ticks).toEqual([
      { at: 0, label: '96.7%' },
      { at: 1, label: '98.0%' },
    ]);
  });
});

describe('ticks whose labels would overlap', () => {
  const labels = (values: readonly number[]) => createAxis(spec(values)).ticks.map(({ label }) => label);

  it('are left out, except for the lowest and the highest value', () => {
    expect(labels([0, 2, 50, 53, 98, 100])).toEqual(['0', '50', '100']);
    expect(labels([0, 8, 16, 92, 100])).toEqual(['0', '8', '16', '92', '100']);
    expect(labels([5])).toEqual(['5']);
  });
});

describe('brushes', () => {
  const specs = [spec([1, 2, 3, 4], { key: 'a' }), spec(['x', 'y', 'x', null], { key: 'b' })];
  const axes = specs.map(createAxis);
  const left = (brushes: [string, [number, number]][]) => [...brushedRows(axes, specs, new Map(brushes))];

  it('keep all rows if there is none', () => {
    expect(left([])).toEqual([1, 1, 1, 1]);
  });

  it('keep rows within all of them, ends included', () => {
    expect(left([['a', [0, 1 / 3]]])).toEqual([1, 1, 0, 0]);
    expect(
      left([
        ['a', [1 / 3, 1]],
        ['b', [0, 0.5]],
      ]),
    ).toEqual([0, 0, 1, 0]);
  });

  it('keep infinite values at the upper end', () => {
    const infinite = [spec([1, Number.POSITIVE_INFINITY, 2, null], { key: 'v' })];
    const kept = brushedRows(infinite.map(createAxis), infinite, new Map([['v', [0.95, 1]]]));
    expect([...kept]).toEqual([0, 1, 0, 0]);
  });

  it('leave out rows without a value on a brushed axis', () => {
    expect(left([['b', [0, 1]]])).toEqual([1, 1, 1, 0]);
  });
});
