import { expect, it } from 'vitest';
import { maxDimensions, sobolBits, sobolPoint } from '../src/models/sobol-sequence.ts';
import { maxAxes } from '../src/space.ts';

/** The order in which most programs list the points. */
const gray = (index: number): number => index ^ (index >>> 1);

it('has the points that randtoolbox of R gives for two dimensions', () => {
  const points = Array.from({ length: 10 }, (_, i) =>
    [0, 1].map((dimension) => sobolBits(gray(i + 1), dimension) / 2 ** 32),
  );
  expect(points).toEqual([
    [0.5, 0.5],
    [0.75, 0.25],
    [0.25, 0.75],
    [0.375, 0.375],
    [0.875, 0.875],
    [0.625, 0.125],
    [0.125, 0.625],
    [0.1875, 0.3125],
    [0.6875, 0.8125],
    [0.9375, 0.0625],
  ]);
});

/** Rows of `new-joe-kuo-6.21201`, as printed there: dimension, degree, coefficients, initial numbers. */
const printed = [
  [10, 5, 7, [1, 1, 7, 11, 19]],
  [20, 7, 1, [1, 3, 7, 11, 23, 15, 103]],
  [50, 8, 97, [1, 1, 1, 3, 23, 43, 57, 177]],
] as const;

it.each(printed)(
  'dimension %i follows the recurrence of Joe & Kuo (2003), eq. 2',
  (dimension, degree, a, initial) => {
    const m: bigint[] = initial.map(BigInt);
    for (let k = degree; k < 32; k++) {
      let next = m[k - degree]! ^ (m[k - degree]! << BigInt(degree));
      for (let j = 1; j < degree; j++) if ((a >> (degree - 1 - j)) & 1) next ^= m[k - j]! << BigInt(j);
      m.push(next);
    }
    const expected = m.map((number, k) => Number(number << BigInt(31 - k)));
    expect(expected.map((_, k) => sobolBits(2 ** k, dimension - 1))).toEqual(expected);
  },
);

it('scrambled, still has one of 64 points in each of 64 intervals of each dimension', () => {
  const seeds = Array.from({ length: maxDimensions }, (_, dimension) => (dimension * 2654435761) >>> 0);
  const points = Array.from({ length: 64 }, (_, i) => sobolPoint(64 * 3 + i, seeds));
  for (let dimension = 0; dimension < maxDimensions; dimension++)
    expect(new Set(points.map((point) => Math.floor(point[dimension]! * 64))).size).toBe(64);
});

it('scrambled by other seeds, has other points', () => {
  expect(sobolPoint(5, [1])).not.toEqual(sobolPoint(5, [2]));
});

it('has as many dimensions as a space may have axes', () => {
  expect(maxDimensions).toBe(maxAxes);
});
