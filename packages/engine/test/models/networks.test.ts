import { defaultHyperparameters, type Hyperparameters } from '@funnel/contracts';
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
  secondReformer,
} from '../../src/models/auto-encoders.ts';
import { createNetwork, initialWeights, type Network } from '../../src/models/network.ts';
import { architectureOf } from '../../src/models/read-topology.ts';
import { topologyOf } from '../../src/models/topology.ts';
import { createRandom, uniformNoise } from '../../src/random.ts';

const image = [28, 28, 1] as const;
const sized = (given: Partial<Hyperparameters>) => ({ ...defaultHyperparameters, ...given });
const made: Network[] = [];
/** A network whose biases (and other weights without a kernel) keep most ReLUs away from their kinks. With a bias of 0, a position whose inputs are all 0 is exactly on the kink. */
const build = (architecture: Architecture, seed = 0): Network => {
  const values = initialWeights(architecture, 'glorotUniform', createRandom(seed));
  const lifted = (drawn: Float32Array, i: number) =>
    uniformNoise(createRandom(seed, i), drawn.length).map((u) => 0.5 + 0.3 * u);
  const specs = weightSpecs(architecture);
  const biased = values.map((drawn, i) => (specs[i]!.name.endsWith('/kernel') ? drawn : lifted(drawn, i)));
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
    const sizes = sized({ filters: '8-16-32', latent: 20 });
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
    const map = sized({ filters: '8-16', latent: 0 });
    expect(shapes(encoder(image, map))).toEqual(['28×28×1', '14×14×8', '7×7×16']);
    expect(shapes(generator(image, map, 3))).toEqual(['7×7×19', '14×14×8', '28×28×1']);
    expect(shapes(classifierHead(encoder(image, map), 64, 10))).toEqual(['7×7×16', '784', '64', '10']);
  });

  it('generators and reformers give back the size of the image, from 1×1 to 65×65', () => {
    const filters = { '4': 0, '2-3': 6, '2-3-4-5': 0, '1-1-1-1-1-1-1': 3 };
    for (let height = 1; height <= 65; height++)
      for (let width = 1; width <= 65; width++) {
        const size = [height, width, 1 + (width % 4)] as const;
        for (const [text, latent] of Object.entries(filters)) {
          const sizes = sized({ filters: text, latent });
          const code = outputShape(encoder(size, sizes));
          const made = generator(size, sizes, 2);
          expect(outputShape(made)).toEqual(size);
          expect(made.input).toEqual([...code.slice(0, -1), code.at(-1)! + 2]);
        }
        expect(outputShape(firstReformer(size))).toEqual(size);
      }
  });

  it.each(['convolutional', 'mlp', 'residual'] as const)(
    'give every size of image back: %s',
    (architecture) => {
      for (const [
        height,
        width,
      ] of [[1, 1], [1, 65], [2, 3], [13, 30], [28, 28], [30, 45], [64, 64], [65, 65]] as const) // biome-ignore format: pairs
        for (const given of [
          {},
          { kernelSize: 4, latent: 0 },
          { paddedSize: 32, normalisation: 'batch' },
        ] as const) {
          const sizes = sized({ architecture, filters: '2-3-4', latent: 5, ...given });
          const shape = [height, width, 3] as const;
          const code = outputShape(encoder(shape, sizes));
          const back = generator(shape, sizes, 2);
          expect(back.input).toEqual([...code.slice(0, -1), code.at(-1)! + 2]);
          expect(outputShape(back)).toEqual(shape);
        }
    },
  );

  it('pad small images to 32×32, and leave larger ones as they are', () => {
    const shapes = (shape: readonly [number, number, number]) =>
      shapesOf(encoder(shape, sized({ paddedSize: 32, filters: '4-8' }))).map((each) => each.join('×'));
    expect(shapes(image)).toEqual(['28×28×1', '32×32×1', '16×16×4', '8×8×8', '512', '64']);
    expect(shapes([40, 30, 3])).toEqual(['40×30×3', '40×32×3', '20×16×4', '10×8×8', '640', '64']);
    expect(shapes([32, 33, 3])).toEqual(['32×33×3', '16×17×4', '8×9×8', '576', '64']);
  });

  it('have a linear code, and images in [0, 1]', () => {
    const last = (architecture: Architecture) => architecture.layers.at(-1);
    expect(last(encoder(image, sized({ filters: '4', latent: 0 })))).toMatchObject({ activation: 'linear' });
    expect(last(encoder(image, sized({ filters: '4', latent: 3 })))).toMatchObject({
      kind: 'dense',
      activation: 'linear',
    });
    expect(last(generator(image, sized({ filters: '4', latent: 3 })))).toMatchObject({
      activation: 'unitTanh',
    });
  });
});

describe('initial weights', () => {
  const architecture = encoder(image, sized({ filters: '16-32', latent: 64 }));

  it.each([
    ['glorotUniform', (fanIn: number, fanOut: number) => 2 / (fanIn + fanOut)],
    ['glorotNormal', (fanIn: number, fanOut: number) => 2 / (fanIn + fanOut)],
    ['heUniform', (fanIn: number) => 2 / fanIn],
    ['heNormal', (fanIn: number) => 2 / fanIn],
  ] as const)('have the variance of %s, and all biases except the last are 0', (initializer, variance) => {
    const values = initialWeights(architecture, initializer, createRandom(3), 0.25);
    for (const [i, { name, initial }] of weightSpecs(architecture).entries()) {
      const drawn = values[i]!;
      if (typeof initial === 'number') {
        expect(new Set(drawn)).toEqual(new Set([name === 'code/bias' ? 0.25 : 0]));
        continue;
      }
      const { fanIn, fanOut } = initial;
      const measured = drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length;
      // The standard error of an estimated variance is at most √(2/n) times the variance.
      expect(Math.abs(measured / variance(fanIn, fanOut) - 1)).toBeLessThan(5 * Math.sqrt(2 / drawn.length));
    }
  });

  it('are scaled by the mean number of connections of a strided kernel', () => {
    const fans = (a: Architecture) =>
      weightSpecs(a).flatMap(({ initial }) =>
        typeof initial === 'number' ? [] : [[initial.fanIn, initial.fanOut]],
      );
    expect(fans(encoder(image, sized({ filters: '4-8', latent: 0 })))).toEqual([
      [9, 9],
      [36, 18],
    ]);
    expect(fans(generator(image, sized({ filters: '4-8', latent: 0 })))).toEqual([
      [18, 36],
      [9, 9],
    ]);
  });

  it('let a generator give the mean pixel', () => {
    for (const mean of [0.13, 0.5, 0.9]) expect((1 + Math.tanh(biasOfMean(mean))) / 2).toBeCloseTo(mean, 10);
    expect(Number.isFinite(biasOfMean(0)) && Number.isFinite(biasOfMean(1))).toBe(true);
  });
});

const odd = [9, 7, 3] as const;
const cases: [string, Architecture][] = [
  ['an encoder', encoder(image, sized({ filters: '3-4-5', latent: 6 }))],
  ['a convolutional encoder', encoder(image, sized({ filters: '3-4', latent: 0 }))],
  ['a generator with odd sizes', generator(image, sized({ filters: '3-4-5', latent: 6 }), 2)],
  ['a generator of maps', generator(image, sized({ filters: '3-4', latent: 0 }), 2)],
  ['a generator from 1×1', generator(image, sized({ filters: '2-2-2-2-3', latent: 4 }))],
  ['a reformer', firstReformer([8, 12, 2])],
  ['a reformer of odd sizes', firstReformer([7, 9, 3])],
  ['a second reformer', secondReformer([7, 6, 1])],
  ['a head on maps', classifierHead(encoder(image, sized({ filters: '3-4', latent: 0 })), 5, 10)],
  ...(
    [
      ['kernels of 5×5', { kernelSize: 5 }],
      ['kernels of 4×4', { kernelSize: 4 }],
      ['padding', { paddedSize: 12 }],
      ['a leaky ReLU and padding', { activation: 'leaky-relu', paddedSize: 8 }],
      ['an ELU and a code of tanh', { activation: 'elu', codeActivation: 'tanh' }],
      ['a tanh and a code of ReLU', { activation: 'tanh', codeActivation: 'relu' }],
      ['normalisation', { normalisation: 'batch' }],
      ['dense layers', { architecture: 'mlp' }],
      ['normalised dense layers', { architecture: 'mlp', normalisation: 'batch', activation: 'elu' }],
      ['residual blocks', { architecture: 'residual', kernelSize: 3 }],
      [
        'normalised residual blocks',
        { architecture: 'residual', normalisation: 'batch', paddedSize: 11, activation: 'elu' },
      ],
    ] as const
  ).flatMap(([what, given]): [string, Architecture][] =>
    [4, 0].flatMap((latent) => {
      const sizes = sized({ filters: '2-3', latent, ...given });
      return [
        [`an encoder with ${what}, latent ${latent}`, encoder(odd, sizes)],
        [`a generator with ${what}, latent ${latent}`, generator(odd, sizes, 2)],
      ];
    }),
  ),
];

describe.each(['cpu', 'wasm'] as const)('networks on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  it('images of every size go through and come back in their size', () => {
    const sizes = sized({ filters: '2-3', latent: 4 });
    for (let height = 1; height <= 65; height++) {
      const size = [height, 1 + ((17 * height) % 65), 1 + (height % 4)] as const;
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
    const smooth = architecture.layers.some(
      (layer) => 'activation' in layer && layer.activation === 'sigmoid',
    );
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
    const { grads } = tf.variableGrads(() => loss(x), network.trained as tf.Variable[]);
    for (const weight of network.trained) {
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
