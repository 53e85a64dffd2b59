import { describe, expect, it } from 'vitest';
import { drawTruncated, logImprovement, normalCdf, normalMass } from '../src/models/normal.ts';
import { createRandom } from '../src/random.ts';

/** Simpson's rule. */
const integrate = (f: (x: number) => number, low: number, high: number, parts = 20_000): number => {
  const step = (high - low) / parts;
  let sum = f(low) + f(high);
  for (let i = 1; i < parts; i++) sum += (i % 2 === 1 ? 4 : 2) * f(low + i * step);
  return (sum * step) / 3;
};
const density = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

it('the distribution function has the printed values', () => {
  expect(normalCdf(0)).toBeCloseTo(0.5, 14);
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14);
  expect(normalCdf(-10) / 7.61985302416053e-24).toBeCloseTo(1, 12);
});

it.each([
  [-1, 2],
  [3, 5],
  [-7, -6.9],
  [8, 8.001],
])('the mass from %f to %f is the integral of the density', (a, b) => {
  expect(normalMass(a, b) / integrate(density, a, b)).toBeCloseTo(1, 9);
});

describe('expected improvement', () => {
  it.each([3, 0.5, -0.999, -1.001, -4, -8])('at z = %f is its integral', (z) => {
    const expected = Math.log(integrate((x) => Math.max(0, z + x) * density(x), -z, -z + 12));
    expect(logImprovement(z)).toBeCloseTo(expected, 8);
  });

  it('is exact where it is too small for a number', () => {
    // E = φ(z) · (1/z² − 3/z⁴ + 15/z⁶ − …)
    const z = -60;
    const series = 1 / z ** 2 - 3 / z ** 4 + 15 / z ** 6 - 105 / z ** 8;
    expect(logImprovement(z)).toBeCloseTo(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI) + Math.log(series), 8);
  });

  it('is continuous where its formula changes', () => {
    for (const z of [-1, -1e5]) {
      const [below, above] = [logImprovement(z * (1 + 1e-9)), logImprovement(z * (1 - 1e-9))];
      expect(Math.abs(above - below) / Math.abs(below)).toBeLessThan(1e-8);
    }
  });
});

it.each([
  [0.5, 0.1],
  [0, 0.3],
  [1, 0.01],
])(
  'draws around %f with deviation %f, truncated to [0, 1], have the quantiles of the distribution',
  (mean, deviation) => {
    const random = createRandom('normal test');
    const draws = Array.from({ length: 20_000 }, () => drawTruncated(mean, deviation, random)).sort(
      (a, b) => a - b,
    );
    expect(draws[0]!).toBeGreaterThanOrEqual(0);
    expect(draws.at(-1)!).toBeLessThanOrEqual(1);
    const mass = (high: number): number => normalMass(-mean / deviation, (high - mean) / deviation);
    for (const share of [0.05, 0.3, 0.5, 0.9])
      expect(Math.abs(mass(draws[share * draws.length]!) / mass(1) - share)).toBeLessThan(0.015);
  },
);
