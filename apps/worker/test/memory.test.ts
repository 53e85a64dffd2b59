/** The planner's sizes of networks in closed form agree with the engine's architectures, layer by layer. */
import { dataOf, defaultHyperparameters } from '@funnel/contracts';
import { minBytes, networksOf, roundedBytes, type Size } from '@funnel/planner';
import { expect, it } from 'vitest';
import {
  type Architecture,
  shapesOf,
  weightSpecs,
} from '../../../packages/engine/src/models/architecture.ts';
import {
  classifierHead,
  encoder,
  generator,
  parseFilters,
} from '../../../packages/engine/src/models/auto-encoders.ts';

const mnist = dataOf({ name: 'mnist' });

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Weights, and the outputs of the layers that compute. */
const sizeOf = (architecture: Architecture): Size => ({
  weights: total(weightSpecs(architecture).map(({ shape }) => product(shape))),
  values: total(
    architecture.layers.map(({ kind }, i) =>
      kind === 'flatten' || kind === 'reshape' ? 0 : product(shapesOf(architecture)[i + 1]!),
    ),
  ),
});

it.each([
  ['32-64', 64, 16, 64],
  ['8', 0, 5, 10],
  ['3-5-7', 9, 0, 1],
  ['16-8', 0, 0, 100],
])('filters %s, latent %i, noise %i, %i classifier units', (filters, latent, noise, classifierUnits) => {
  const image = mnist.shape;
  const sizes = { filters: parseFilters(filters), latent };
  const networks = networksOf(mnist, { filters, latent, noise, classifierUnits });
  expect(networks).toEqual({
    encoder: sizeOf(encoder(image, sizes)),
    generator: sizeOf(generator(image, sizes)),
    noisyGenerator: sizeOf(generator(image, sizes, noise)),
    head: sizeOf(classifierHead(encoder(image, sizes), classifierUnits, 10)),
  });
});

it('the least memory of a stage: weights, gradients and moments, and a batch', () => {
  const all = {
    ...defaultHyperparameters,
    filters: '1',
    latent: 1,
    noise: 0,
    classifierUnits: 1,
    batchSize: 10,
  };
  // Encoder: 10 weights of the convolution, 196 + 1 of the code. Generator: 196 + 196, then 10.
  const weights = 10 + 197 + 392 + 10;
  const values = 196 + 1 + 196 + 784;
  const least = minBytes({ recipe: 'classic', kind: 'initialise', data: mnist }, all);
  expect(least).toBe(4 * (4 * weights + 10 * values));
  expect(minBytes({ recipe: 'funn', kind: 'optimise', data: mnist }, all)).toBe(2 * least);
});

it('rounds down to a few sizes, and ignores what every worker has', () => {
  expect(roundedBytes(255 * 2 ** 20)).toBe(0);
  expect(roundedBytes(2 ** 30)).toBe(2 ** 30);
  expect(roundedBytes(1.18 * 2 ** 30)).toBe(2 ** 30);
  expect(roundedBytes(1.2 * 2 ** 30)).toBe(Math.floor(2 ** 30.25));
});
