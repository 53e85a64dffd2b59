import { expect, test } from 'vitest';
import { samePadding } from '../src/geometry.ts';
import {
  type Operator,
  pairConvolution,
  pairOutputs,
  pixelOperator,
  weightsOfSums,
} from '../src/winograd-pairing.ts';

/** A 3×3 convolution of stride 2. */
const halved = (size: [number, number], channels: { image: number; map: number }) =>
  samePadding(size, { height: 3, width: 3 }, 2, channels);

const apply = (operator: Operator, values: readonly number[]): number[] =>
  operator.map((terms) => terms.reduce((sum, { from, factor }) => sum + factor * values[from]!, 0));

/** Small integers: sums of their products are exact. */
const integers = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i * 7 + seed * 13) % 11) - 5);

test.each([3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 28])(
  'outputs in pairs over %i pixels equal the convolution',
  (pixels) => {
    const outputs = Math.ceil(pixels / 2);
    const padding = pixels % 2; // 'same'
    const sums = pairOutputs(pixels, outputs, padding)!;
    const [x, w] = [integers(pixels, 1), integers(3, 2)];
    const direct = Array.from({ length: outputs }, (_, j) =>
      w.reduce((sum, weight, tap) => sum + weight * (x[2 * j + tap - padding] ?? 0), 0),
    );
    const paired = direct.map(() => 0);
    for (const { kind, factors, outputs } of sums) {
      const weights = apply(weightsOfSums[kind]!, w);
      const sum = apply(factors, x).reduce((total, factor, i) => total + factor * weights[i]!, 0);
      for (const { from, factor } of outputs) paired[from]! += factor * sum;
    }
    expect(paired).toEqual(direct);
    const multiplications = sums.reduce((count, { factors }) => count + factors.length, 0);
    expect(multiplications).toBeLessThanOrEqual(3 * outputs);
  },
);

test('the usual second convolution takes 289 multiplications per pair of channels instead of 400', () => {
  const pairing = pairConvolution(halved([14, 14], { image: 32, map: 64 }));
  expect(pixelOperator(pairing!)).toHaveLength(289);
});

test('small maps and few channels are not paired', () => {
  expect(pairConvolution(halved([7, 7], { image: 32, map: 64 }))).toBeUndefined();
  expect(pairConvolution(halved([28, 28], { image: 1, map: 32 }))).toBeUndefined();
  expect(pairConvolution(halved([14, 14], { image: 30, map: 64 }))).toBeUndefined();
});
