import { AppError } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { allPoints, axesOf, maxAxes, pointAt, type Space, sharesOf, type Variable } from '../src/space.ts';

const axisOf = (variable: Omit<Variable, 'name'>) => axesOf([{ name: 'x', ...variable }])[0]!;
const shares = Array.from({ length: 1001 }, (_, i) => i / 1000);
const valuesOf = (variable: Omit<Variable, 'name'>) => [...new Set(shares.map(axisOf(variable).valueAt))];

describe('an axis', () => {
  it.each<[string, Omit<Variable, 'name'>, unknown[]]>([
    ['a value', { dimension: 3 }, [3]],
    ['numbers, in ascending order', { dimension: [5, 1, 25, 5] }, [1, 5, 25]],
    ['words, in their own order', { dimension: ['b', 'a'] }, ['b', 'a']],
    ['booleans', { dimension: [true, false] }, [true, false]],
    [
      'steps that meet the end',
      { dimension: { min: 0, max: 0.3, step: 0.1, scale: 'linear' } },
      [0, 0.1, 0.2, 0.3],
    ],
    ['steps that do not', { dimension: { min: 1, max: 6, step: 2, scale: 'linear' } }, [1, 3, 5]],
    ['a count on a log scale', { dimension: { min: 1, max: 100, count: 3, scale: 'log' } }, [1, 10, 100]],
    [
      'a count of whole numbers',
      { dimension: { min: 1, max: 3, count: 9, scale: 'linear' }, isWhole: true },
      [1, 2, 3],
    ],
    ['whole numbers', { dimension: { min: 2, max: 5, scale: 'linear' }, isWhole: true }, [2, 3, 4, 5]],
    [
      'whole numbers on a log scale',
      { dimension: { min: 1, max: 4, scale: 'log' }, isWhole: true },
      [1, 2, 3, 4],
    ],
    ['a range of one number', { dimension: { min: 2, max: 2, scale: 'linear' } }, [2]],
  ])('of %s', (_, variable, values) => {
    const axis = axisOf(variable);
    expect(valuesOf(variable)).toEqual(values);
    expect(axis.size).toBe(values.length);
    expect(values.map((_, index) => axis.at!(index))).toEqual(values);
  });

  it('has cells that follow each other from 0 to 1 and give their value', () => {
    for (const variable of [
      { dimension: [5, 1, 25] },
      { dimension: { min: 0, max: 0.3, step: 0.1, scale: 'linear' as const } },
      { dimension: { min: 3, max: 300, scale: 'log' as const }, isWhole: true },
      { dimension: ['b', 'a', 'c'] },
    ]) {
      const axis = axisOf(variable);
      let end = 0;
      for (let index = 0; index < axis.size; index++) {
        const value = axis.at!(index);
        const { low, high } = axis.cellOf(value);
        expect(low).toBeCloseTo(end, 12);
        expect(axis.valueAt((low + high) / 2)).toBe(value);
        end = high;
      }
      expect(end).toBe(1);
    }
  });

  it('of a log range has the middle at the geometric mean, and both ends exactly', () => {
    const axis = axisOf({ dimension: { min: 1e-5, max: 1e-1, scale: 'log' } });
    expect(axis.valueAt(0.5)).toBeCloseTo(1e-3, 15);
    expect([axis.valueAt(0), axis.valueAt(1)]).toEqual([1e-5, 1e-1]);
    expect(axis.cellOf(1e-3).low).toBeCloseTo(0.5, 12);
  });

  it('refuses a value that it does not have, and says so', () => {
    for (const value of [3, 'a', 1.5])
      expect(() => axisOf({ dimension: [1, 2] }).cellOf(value)).toThrow(AppError);
    expect(() => axisOf({ dimension: { min: 0, max: 1, scale: 'linear' } }).cellOf(2)).toThrow(
      /x in the space, but got 2/,
    );
    expect(() => axisOf({ dimension: ['a', '1'] }).cellOf(1)).toThrow(
      'Expected a value of x in the space ("a", "1"), but got 1',
    );
  });
});

const conditional: Space = [
  { name: 'recipe', dimension: ['funn', 'classic'] },
  { name: 'gamma', dimension: [1, 5], readWhere: { variable: 'recipe', values: ['funn'] } },
  { name: 'latent', dimension: [8, 16, 32] },
];

describe('a space with a condition', () => {
  const axes = axesOf(conditional);

  it('has points without the variables that are not read', () => {
    expect(pointAt(axes, [0.9, 0, 0])).toEqual({ recipe: 'classic', latent: 8 });
    expect(pointAt(axes, [0.1, 0, 0])).toEqual({ recipe: 'funn', gamma: 1, latent: 8 });
    expect([...sharesOf(axes, { recipe: 'classic', latent: 8 })]).toEqual([0.75, Number.NaN, 1 / 6]);
  });

  it('lists every point once, or none if there are too many', () => {
    const points = allPoints(axes, 9)!;
    expect(points).toHaveLength(2 * 3 + 3);
    expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(9);
    expect(allPoints(axes, 8)).toBeNull();
  });
});

describe('a space is refused', () => {
  const x: Variable = { name: 'x', dimension: [1, 2] };
  it.each<[string, Space]>([
    ['without variables', []],
    ['with too many', Array.from({ length: maxAxes + 1 }, (_, i) => ({ ...x, name: `x${i}` }))],
    ['with a name twice', [x, x]],
    [
      'with a condition on a later variable',
      [
        { ...x, readWhere: { variable: 'y', values: [1] } },
        { ...x, name: 'y' },
      ],
    ],
  ])('%s', (_, space) => {
    expect(() => axesOf(space)).toThrow(AppError);
  });
});
