import type { Point } from '@funnel/search';
import { expect, it } from 'vitest';
import { curves, searchProblems, zdt1 } from '../src/search-problems.ts';

const named = (values: readonly number[]): Point =>
  Object.fromEntries(values.map((value, index) => [`x${index}`, value]));

it.each([
  ['branin', { x: Math.PI, y: 2.275 }, 0.397887],
  ['branin', { x: -Math.PI, y: 12.275 }, 0.397887],
  ['hartmann6', named([0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]), -3.32237],
  ['rosenbrock4', named([1, 1, 1, 1]), 0],
  ['sparse10', named([0.3, -0.5, 0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]), 0],
  ['sparse10', named([0.8, 0, 0.2, 1.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]), 1 + 0.5 + 0.25 + 0.05],
  ['mixed', { rate: 1e-2, units: 160, kind: 'b', x0: 0, x1: 0, x2: 0 }, 0.49 + 1 + 0.5 + 0.3 * Math.sin(-10)],
] as const)('%s at %o is %f', (problem, point, value) => {
  expect(searchProblems[problem].values(point)[0]).toBeCloseTo(value, 5);
});

it('zdt1 has its front where all variables but the first are 0', () => {
  expect(zdt1.values(named([0.25, 0, 0, 0, 0, 0]))).toEqual([0.25, 0.5]);
  expect(zdt1.values(named([0, 1, 1, 1, 1, 1]))).toEqual([0, 10]);
});

it('curves cross', () => {
  const [fast, slow] = [
    { a: 0.3, b: 0 },
    { a: 0.3, b: 0.7 },
  ];
  expect(curves.loss(fast, 1)).toBeCloseTo(1, 12);
  expect(curves.loss(slow, 1)).toBeCloseTo(1, 12);
  expect(curves.loss(slow, 27)).toBeCloseTo(0.205 + 0.795 * 27 ** -0.7, 12);
  expect(curves.loss(fast, 27)).toBeGreaterThan(curves.loss(slow, 27));
});
