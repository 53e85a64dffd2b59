/** The planner's sizes of networks in closed form agree with the engine's architectures, layer by layer. */
import { dataOf, defaultHyperparameters, type Hyperparameters } from '@funnel/contracts';
import { minBytes, networksOf, roundedBytes, type Size } from '@funnel/planner';
import { expect, it } from 'vitest';
import {
  type Architecture,
  shapesOf,
  weightSpecs,
} from '../../../packages/engine/src/models/architecture.ts';
import { classifierHead, encoder, generator } from '../../../packages/engine/src/models/auto-encoders.ts';

const mnist = dataOf({ name: 'mnist' });

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The outputs of the layers that compute. */
const valuesOf = (architecture: Architecture): number =>
  total(
    architecture.layers.map((layer, i) => {
      if (layer.kind === 'flatten' || layer.kind === 'reshape') return 0;
      const [input, output] = shapesOf(architecture).slice(i, i + 2) as [
        readonly number[],
        readonly number[],
      ];
      const inner = layer.kind === 'residual' ? valuesOf({ input, layers: layer.layers }) : 0;
      return inner + product(output);
    }),
  );

/** Weights, and the outputs of the layers that compute. */
const sizeOf = (architecture: Architecture): Size => ({
  weights: total(weightSpecs(architecture).map(({ shape }) => product(shape))),
  values: valuesOf(architecture),
});

const shapes = [mnist.shape, [9, 14, 3], [1, 1, 1]] as const;
const given: readonly Partial<Hyperparameters>[] = [
  {},
  { filters: '8', latent: 0, noise: 5, classifierUnits: 10 },
  { filters: '3-5-7', latent: 9, noise: 0, classifierUnits: 1 },
  { filters: '16-8', latent: 0, noise: 0, classifierUnits: 100 },
  ...(['convolutional', 'mlp', 'residual'] as const).flatMap((architecture) =>
    [0, 6].flatMap((latent) =>
      [
        { kernelSize: 5, activation: 'elu', codeActivation: 'tanh' },
        { normalisation: 'batch', paddedSize: 12, codeActivation: 'relu' },
        { normalisation: 'batch', activation: 'tanh' },
        {},
      ].map((more) => ({ architecture, filters: '4-6-3', latent, ...(more as Partial<Hyperparameters>) })),
    ),
  ),
];

it.each(given)('the sizes of networks with %j', (some) => {
  const sizes = { ...defaultHyperparameters, ...some };
  for (const shape of shapes)
    expect(networksOf({ shape, classCount: 10 }, sizes), shape.join('×')).toEqual({
      encoder: sizeOf(encoder(shape, sizes)),
      generator: sizeOf(generator(shape, sizes)),
      noisyGenerator: sizeOf(generator(shape, sizes, sizes.noise)),
      head: sizeOf(classifierHead(encoder(shape, sizes), sizes.classifierUnits, 10)),
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
