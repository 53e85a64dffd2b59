import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { packTensors } from '../../src/checkpoint.ts';
import { type Architecture, outputShape, shapesOf, weightSpecs } from '../../src/models/architecture.ts';
import {
  biasOfMean,
  classifierHead,
  encoder,
  firstReformer,
  generator,
  parseFilters,
  secondReformer,
} from '../../src/models/auto-encoders.ts';
import { createNetwork, initialWeights, type Network } from '../../src/models/network.ts';
import { architectureOf, topologyOf } from '../../src/models/topology.ts';
import { createRandom, uniformNoise } from '../../src/random.ts';

const image = [28, 28, 1];
const made: Network[] = [];
/** A network whose biases keep most ReLUs away from their kinks. With a bias of 0, a position whose inputs are all 0 is exactly on the kink. */
const build = (architecture: Architecture, seed = 0): Network => {
  const values = initialWeights(architecture, 'glorotUniform', createRandom(seed));
  const lifted = (drawn: Float32Array, i: number) =>
    uniformNoise(createRandom(seed, i), drawn.length).map((u) => 0.5 + 0.3 * u);
  const biased = values.map((drawn, i) => (i % 2 === 0 ? drawn : lifted(drawn, i)));
  const network = createNetwork(architecture, biased);
  made.push(network);
  return network;
};
afterEach(() => {
  for (const network of made.splice(0)) network.dispose();
});

const noise = (shape: number[], seed = 1): tf.Tensor =>
  tf.tensor(
    uniformNoise(
      createRandom(seed),
      shape.reduce((a, b) => a * b),
    ),
    shape,
  );

describe('architectures', () => {
  it('have the sizes of §4.1 of the paper; a generator has the layers of its encoder in the opposite order, also for odd sizes', () => {
    const sizes = { filters: parseFilters('8-16-32'), latent: 20 };
    const shapes = (architecture: Architecture) => shapesOf(architecture).map((shape) => shape.join('×'));
    expect(shapes(encoder(image, sizes))).toEqual(['28×28×1', '14×14×8', '7×7×16', '4×4×32', '512', '20']);
    expect(shapes(generator(image, sizes, 6))).toEqual([
      '26',
      '512',
      '4×4×32',
      '7×7×16',
      '14×14×8',
      '28×28×1',
    ]);
    const map = { filters: [8, 16], latent: 0 };
    expect(shapes(encoder(image, map))).toEqual(['28×28×1', '14×14×8', '7×7×16']);
    expect(shapes(generator(image, map, 3))).toEqual(['7×7×19', '14×14×8', '28×28×1']);
    expect(shapes(classifierHead(encoder(image, map), 64, 10))).toEqual(['7×7×16', '784', '64', '10']);
  });

  it('generators and reformers give back the size of the image, from 1×1 to 65×65', () => {
    const filters = { '4': 0, '2-3': 6, '2-3-4-5': 0, '1-1-1-1-1-1-1': 3 };
    for (let height = 1; height <= 65; height++)
      for (let width = 1; width <= 65; width++) {
        const size = [height, width, 1 + (width % 4)];
        for (const [text, latent] of Object.entries(filters)) {
          const sizes = { filters: parseFilters(text), latent };
          const code = outputShape(encoder(size, sizes));
          const made = generator(size, sizes, 2);
          expect(outputShape(made)).toEqual(size);
          expect(made.input).toEqual([...code.slice(0, -1), code.at(-1)! + 2]);
        }
        expect(outputShape(firstReformer(size))).toEqual(size);
      }
  });

  it('have a linear code, and images in [0, 1]', () => {
    const last = (architecture: Architecture) => architecture.layers.at(-1);
    expect(last(encoder(image, { filters: [4], latent: 0 }))).toMatchObject({ activation: 'linear' });
    expect(last(encoder(image, { filters: [4], latent: 3 }))).toMatchObject({
      kind: 'dense',
      activation: 'linear',
    });
    expect(last(generator(image, { filters: [4], latent: 3 }))).toMatchObject({ activation: 'unitTanh' });
  });
});

describe('initial weights', () => {
  const architecture = encoder(image, { filters: [16, 32], latent: 64 });

  it.each([
    ['glorotUniform', (fanIn: number, fanOut: number) => 2 / (fanIn + fanOut)],
    ['glorotNormal', (fanIn: number, fanOut: number) => 2 / (fanIn + fanOut)],
    ['heUniform', (fanIn: number) => 2 / fanIn],
    ['heNormal', (fanIn: number) => 2 / fanIn],
  ] as const)('have the variance of %s, and all biases except the last are 0', (initializer, variance) => {
    const values = initialWeights(architecture, initializer, createRandom(3), 0.25);
    for (const [i, { name, fanIn, fanOut }] of weightSpecs(architecture).entries()) {
      const drawn = values[i]!;
      if (name.endsWith('bias')) {
        expect(new Set(drawn)).toEqual(new Set([name === 'code/bias' ? 0.25 : 0]));
        continue;
      }
      const measured = drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length;
      // The standard error of an estimated variance is at most √(2/n) times the variance.
      expect(Math.abs(measured / variance(fanIn, fanOut) - 1)).toBeLessThan(5 * Math.sqrt(2 / drawn.length));
    }
  });

  it('are scaled by the mean number of connections of a strided kernel', () => {
    const fans = (a: Architecture) =>
      weightSpecs(a)
        .filter((w) => w.name.endsWith('kernel'))
        .map((w) => [w.fanIn, w.fanOut]);
    expect(fans(encoder(image, { filters: [4, 8], latent: 0 }))).toEqual([
      [9, 9],
      [36, 18],
    ]);
    expect(fans(generator(image, { filters: [4, 8], latent: 0 }))).toEqual([
      [18, 36],
      [9, 9],
    ]);
  });

  it('let a generator give the mean pixel', () => {
    for (const mean of [0.13, 0.5, 0.9]) expect((1 + Math.tanh(biasOfMean(mean))) / 2).toBeCloseTo(mean, 10);
    expect(Number.isFinite(biasOfMean(0)) && Number.isFinite(biasOfMean(1))).toBe(true);
  });
});

const cases: [string, Architecture][] = [
  ['an encoder', encoder(image, { filters: [3, 4, 5], latent: 6 })],
  ['a convolutional encoder', encoder(image, { filters: [3, 4], latent: 0 })],
  ['a generator with odd sizes', generator(image, { filters: [3, 4, 5], latent: 6 }, 2)],
  ['a generator of maps', generator(image, { filters: [3, 4], latent: 0 }, 2)],
  ['a generator from 1×1', generator(image, { filters: [2, 2, 2, 2, 3], latent: 4 })],
  ['a reformer', firstReformer([8, 12, 2])],
  ['a reformer of an odd size', firstReformer([7, 5, 2])],
  ['a second reformer', secondReformer([7, 6, 1])],
  ['a head on maps', classifierHead(encoder(image, { filters: [3, 4], latent: 0 }), 5, 10)],
];

describe.each(['cpu', 'wasm'] as const)('networks on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it('images of every size go through and come back in their size', () => {
    const sizes = { filters: [2, 3], latent: 4 };
    for (let height = 1; height <= 65; height++) {
      const size = [height, 1 + ((17 * height) % 65), 1 + (height % 4)];
      tf.tidy(() => {
        const x = noise([2, ...size]);
        const code = build(encoder(size, sizes)).apply(x);
        const rebuilt = [build(generator(size, sizes)).apply(code), build(firstReformer(size)).apply(x)];
        expect(code.shape).toEqual([2, 4]);
        for (const image of rebuilt) {
          expect(image.shape).toEqual(x.shape);
          expect(image.dataSync().every((value) => value >= 0 && value <= 1)).toBe(true);
        }
      });
    }
  });

  it.each(cases)(
    '%s gives the same outputs as the model that tf.loadLayersModel makes of its topology and weights',
    async (_, architecture) => {
      const network = build(architecture);
      const topology = topologyOf(architecture);
      expect(architectureOf(JSON.parse(JSON.stringify(topology)))).toEqual(architecture);
      const specs = weightSpecs(architecture);
      const model = await tf.loadLayersModel({
        load: async () => ({
          modelTopology: topology,
          weightSpecs: specs.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
          weightData: packTensors(
            network.weights.map((weight) => Float32Array.from(weight.dataSync())),
          ).bytes.slice().buffer,
        }),
      });
      const x = noise([2, ...architecture.input]);
      const [ours, theirs] = [network.apply(x), model.predict(x) as tf.Tensor];
      expect(ours.shape).toEqual(theirs.shape);
      expect(ours.shape.slice(1)).toEqual(outputShape(architecture));
      const error = tf.max(tf.abs(tf.sub(ours, theirs))).dataSync()[0]!;
      expect(error).toBeLessThan(1e-5);
      tf.dispose([x, ours, theirs]);
      model.dispose();
    },
  );

  /**
   * Along the gradient g the loss must rise by |g|² per unit; every component of g has a part in this number. The loss is summed in double
   * precision, since its change is small. The kinks of ReLUs leave an error of about 0.01.
   */
  it.each(cases)('the gradients of %s are those of finite differences', (_, architecture) => {
    const network = build(architecture, 5);
    // Networks of σ have no kinks, so the step may be long. It must be long, because many σ in a row make gradients small.
    const smooth = architecture.layers.some(({ kind }) => kind === 'conv2dSame');
    const length = smooth ? 0.03 : 3e-3;
    const x = noise([3, ...architecture.input], 2);
    const target = noise([3, ...outputShape(architecture)], 3);
    const loss = (input: tf.Tensor): tf.Scalar => tf.mean(tf.square(tf.sub(network.apply(input), target)));
    const exactly = (input: tf.Tensor): number => {
      const [outputs, targets] = [network.apply(input).dataSync<'float32'>(), target.dataSync<'float32'>()];
      return outputs.reduce((sum, output, i) => sum + (output - targets[i]!) ** 2, 0) / outputs.length;
    };
    const error = (gradient: tf.Tensor, at: (by: number) => number): number => {
      const squared = gradient.dataSync<'float32'>().reduce((sum, value) => sum + value * value, 0);
      const h = length / Math.sqrt(squared);
      return Math.abs((at(h) - at(-h)) / (2 * h * squared) - 1);
    };
    const { grads } = tf.variableGrads(() => loss(x), network.weights as tf.Variable[]);
    for (const weight of network.weights) {
      const gradient = grads[weight.name]!;
      const origin = tf.tensor(weight.dataSync().slice(), weight.shape);
      const at = (by: number): number => {
        weight.assign(tf.add(origin, tf.mul(gradient, by)));
        return exactly(x);
      };
      expect(error(gradient, at)).toBeLessThan(0.02);
      weight.assign(origin);
    }
    const gradient = tf.grad(loss)(x);
    expect(error(gradient, (by) => exactly(tf.add(x, tf.mul(gradient, by))))).toBeLessThan(0.02);
  });
});
