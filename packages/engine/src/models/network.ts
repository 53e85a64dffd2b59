import { averagePool, conv2d, conv2dSame, conv2dTranspose, dense, upSample } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import type { Architecture, Layer } from './architecture.ts';
import { weightSpecs } from './architecture.ts';

/** An architecture with weights on the device. */
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
      return upSample(x);
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

/** `values`: one array per weight. */
export const createNetwork = (architecture: Architecture, values: readonly Float32Array[]): Network => {
  const specs = weightSpecs(architecture);
  if (values.length !== specs.length)
    throw new Error(`Expected ${specs.length} weights, but got ${values.length}`);
  const weights = specs.map((spec, i) => tf.tidy(() => tf.variable(tf.tensor(values[i]!, [...spec.shape]))));
  return networkOver(architecture, weights);
};

/** A network over weights that exist already, such as two networks as one. */
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

/** The weights as they are now, downloaded. */
export const readWeights = (network: Network): Promise<Float32Array[]> => readTensors(network.weights);

export const readTensors = (tensors: readonly tf.Tensor[]): Promise<Float32Array[]> =>
  Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data<'float32'>())));
