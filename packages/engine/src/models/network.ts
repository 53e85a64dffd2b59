/** A network: an architecture with weights on the device. Also draws the initial weights. */
import type { Hyperparameters } from '@funnel/contracts';
import { averagePool, conv2d, conv2dTranspose, dense, upSample } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import type { Random } from '../random.ts';
import { activations } from './activations.ts';
import { type Architecture, type Layer, weightSpecs } from './architecture.ts';
import { normalise } from './normalisation.ts';

/** An architecture with its weights on the device. */
export type Network = {
  readonly architecture: Architecture;
  /** In the order of `weightSpecs(architecture)`. */
  readonly weights: readonly tf.Variable[];
  /** The weights that an optimiser changes: all except for running statistics. */
  readonly trained: readonly tf.Variable[];
  /** [batch, …input] → [batch, …output]; differentiable in the input and the weights. */
  readonly apply: (input: tf.Tensor) => tf.Tensor;
  readonly dispose: () => void;
};

const applyLayer = (layer: Layer, x: tf.Tensor, weights: readonly tf.Variable[]): tf.Tensor => {
  const [kernel, bias] = weights;
  switch (layer.kind) {
    case 'conv2d': {
      const activation = layer.activation === 'relu' ? 'relu' : 'linear';
      const z = conv2d(x, kernel!, bias!, activation, layer.stride);
      return layer.activation === 'sigmoid' ? tf.sigmoid(z) : z;
    }
    case 'conv2dTranspose':
      return conv2dTranspose(x, kernel!, bias!, layer.size, layer.activation);
    case 'averagePool':
      return averagePool(x);
    case 'upSample':
      return upSample(x, layer.size);
    case 'pad':
      return tf.pad(x, [
        [0, 0],
        ...layer.edges.map(([before, after]) => [before, after] as [number, number]),
        [0, 0],
      ]);
    case 'crop': {
      const [, height, width, channels] = x.shape as [number, number, number, number];
      const [[top, bottom], [left, right]] = layer.edges;
      return tf.slice(x, [0, top, left, 0], [-1, height - top - bottom, width - left - right, channels]);
    }
    case 'dense':
      return dense(x, kernel!, bias!, layer.activation);
    case 'flatten':
      return tf.reshape(x, [x.shape[0]!, x.size / x.shape[0]!]);
    case 'reshape':
      return tf.reshape(x, [x.shape[0]!, ...layer.shape]);
    case 'normalise':
      return normalise(x, weights);
    case 'activate':
      return activations[layer.activation](x);
    case 'residual':
      return tf.add(x, applyLayers(layer.layers, x, weights));
  }
};

/** The number of weights of a layer. */
const countWeights = (layer: Layer): number => {
  switch (layer.kind) {
    case 'conv2d':
    case 'conv2dTranspose':
    case 'dense':
      return 2;
    case 'normalise':
      return 4;
    case 'residual':
      return layer.layers.reduce((sum, inner) => sum + countWeights(inner), 0);
    default:
      return 0;
  }
};

const applyLayers = (
  layers: readonly Layer[],
  input: tf.Tensor,
  weights: readonly tf.Variable[],
): tf.Tensor => {
  let x = input;
  let next = 0;
  for (const layer of layers) {
    const end = next + countWeights(layer);
    x = applyLayer(layer, x, weights.slice(next, end));
    next = end;
  }
  return x;
};

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
  const specs = weightSpecs(architecture);
  return {
    architecture,
    weights,
    trained: weights.filter((_, i) => specs[i]!.trained),
    apply: (input) => applyLayers(architecture.layers, input, weights),
    dispose: () => tf.dispose(weights as tf.Variable[]),
  };
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

/**
 * First weights in the order of `weightSpecs`: kernels from `initializer`, biases 0, and `outputBias` for the bias of the last layer. A
 * generator starts with the bias that gives the mean pixel. With a bias of 0, its output starts grey. The first updates then make the output
 * darker. They change codes and ReLUs so much that half of the networks give the mean image for every input, and stay so.
 */
export const initialWeights = (
  architecture: Architecture,
  initializer: Hyperparameters['initializer'],
  random: Random,
  outputBias = 0,
): Float32Array[] =>
  weightSpecs(architecture).map(({ shape, initial }, i, all) => {
    const values = new Float32Array(size(shape));
    if (typeof initial === 'number') return values.fill(i === all.length - 1 ? outputBias : initial);
    const draw = initializers[initializer](random, initial.fanIn, initial.fanOut);
    for (let k = 0; k < values.length; k++) values[k] = draw();
    return values;
  });
