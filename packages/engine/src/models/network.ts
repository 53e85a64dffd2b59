/** A network: an architecture with weights on the device. Also draws the initial weights. */
import type { Hyperparameters } from '@funnel/contracts';
import { averagePool, conv2d, conv2dSame, conv2dTranspose, dense, upSample } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import type { Random } from '../random.ts';
import { type Architecture, type Layer, type WeightSpec, weightSpecs } from './architecture.ts';

/** An architecture with its weights on the device. */
export type Network = {
  readonly architecture: Architecture;
  /** In the order of `weightSpecs(architecture)`. */
  readonly weights: readonly tf.Variable[];
  /** [batch, …input] → [batch, …output]; differentiable in the input and the weights. */
  readonly apply: (input: tf.Tensor) => tf.Tensor;
  readonly dispose: () => void;
};

const applyLayer = (layer: Layer, x: tf.Tensor, [kernel, bias]: readonly tf.Tensor[]): tf.Tensor => {
  switch (layer.kind) {
    case 'conv2d':
      return conv2d(x, kernel!, bias!, layer.activation);
    case 'conv2dTranspose':
      return conv2dTranspose(x, kernel!, bias!, layer.size, layer.activation);
    case 'conv2dSame':
      return conv2dSame(x, kernel!, bias!);
    case 'averagePool':
      return averagePool(x);
    case 'upSample':
      return upSample(x, layer.size);
    case 'dense':
      return dense(x, kernel!, bias!, layer.activation);
    case 'flatten':
      return tf.reshape(x, [x.shape[0]!, x.size / x.shape[0]!]);
    case 'reshape':
      return tf.reshape(x, [x.shape[0]!, ...layer.shape]);
  }
};

const weightless: readonly Layer['kind'][] = ['averagePool', 'upSample', 'flatten', 'reshape'];
const hasWeights = (layer: Layer): boolean => !weightless.includes(layer.kind);

/** A network with the given weights: one array for each of `weightSpecs(architecture)`. */
export const createNetwork = (architecture: Architecture, values: readonly Float32Array[]): Network => {
  const specs = weightSpecs(architecture);
  if (values.length !== specs.length)
    throw new Error(`Expected ${specs.length} weights, but got ${values.length}`);
  const weights = specs.map((spec, i) => tf.tidy(() => tf.variable(tf.tensor(values[i]!, [...spec.shape]))));
  return networkOver(architecture, weights);
};

/** A network that shares its weights with other networks, such as two networks joined into one. */
export const networkOver = (architecture: Architecture, weights: readonly tf.Variable[]): Network => {
  const apply = (input: tf.Tensor): tf.Tensor => {
    let x = input;
    let next = 0;
    for (const layer of architecture.layers) {
      x = applyLayer(layer, x, weights.slice(next, next + 2));
      if (hasWeights(layer)) next += 2;
    }
    return x;
  };
  return { architecture, weights, apply, dispose: () => tf.dispose(weights as tf.Variable[]) };
};

/** The current weights, read from the device. */
export const readWeights = (network: Network): Promise<Float32Array[]> => readTensors(network.weights);

export const readTensors = (tensors: readonly tf.Tensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data<'float32'>())));

type Initializer = (random: Random, fanIn: number, fanOut: number) => () => number;

const uniform = (random: Random, variance: number) => {
  const limit = Math.sqrt(3 * variance);
  return () => (random.uniform() * 2 - 1) * limit;
};

/**
 * Draws normal numbers. Draws a number again if it is more than two standard deviations from 0, and scales the numbers so that their
 * variance is `variance` (as in Keras).
 */
const truncatedNormal = (random: Random, variance: number) => {
  const deviation = Math.sqrt(variance) / 0.87962566103423978;
  return () => {
    let value = random.normal();
    while (Math.abs(value) > 2) value = random.normal();
    return value * deviation;
  };
};

/** Glorot & Bengio (2010), He et al. (2015). The initializers of tfjs draw from a global state, so we do not use them. */
const initializers: Record<Hyperparameters['initializer'], Initializer> = {
  glorotUniform: (random, fanIn, fanOut) => uniform(random, 2 / (fanIn + fanOut)),
  glorotNormal: (random, fanIn, fanOut) => truncatedNormal(random, 2 / (fanIn + fanOut)),
  heUniform: (random, fanIn) => uniform(random, 2 / fanIn),
  heNormal: (random, fanIn) => truncatedNormal(random, 2 / fanIn),
};

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const isBias = (spec: WeightSpec): boolean => spec.fanIn === 0;

/**
 * Initial weights in the order of `weightSpecs`: kernels from `initializer`, biases 0, and `outputBias` for the bias of the last layer. A
 * generator starts with the bias that gives the mean pixel. With a bias of 0, its output starts grey. The first updates then make the output
 * darker. They change codes and ReLUs so much that half of the networks give the mean image for every input, and stay so.
 */
export const initialWeights = (
  architecture: Architecture,
  initializer: Hyperparameters['initializer'],
  random: Random,
  outputBias = 0,
): Float32Array[] =>
  weightSpecs(architecture).map((spec, i, all) => {
    const values = new Float32Array(size(spec.shape));
    if (isBias(spec)) return i === all.length - 1 ? values.fill(outputBias) : values;
    const draw = initializers[initializer](random, spec.fanIn, spec.fanOut);
    for (let k = 0; k < values.length; k++) values[k] = draw();
    return values;
  });
