/** The networks that recipes train: encoder, generator and classifier head of the paper, and MagNet's auto-encoders. */
import * as tf from '@tensorflow/tfjs';
import { type Architecture, type Layer, outputShape } from './architecture.ts';
import type { NetworkSizes, Shape } from './architectures/blocks.ts';
import { architectures } from './architectures/registry.ts';
import type { Network } from './network.ts';

/** Image → code: [batch, …image] → [batch, latent], or a feature map where `latent` is 0. */
export const encoder = (image: Shape, sizes: NetworkSizes): Architecture =>
  architectures[sizes.architecture].encoder(image, sizes);

/** Code → image, the mirror of the encoder. The input is the code, followed by `noise` more values (channels, for a feature map). */
export const generator = (image: Shape, sizes: NetworkSizes, noise = 0): Architecture =>
  architectures[sizes.architecture].generator(image, sizes, noise);

/** The bias b with (1 + tanh b)/2 = `mean`. `mean` is limited to [0.02, 0.98], because tanh is flat beyond. */
export const biasOfMean = (mean: number): number => Math.atanh(2 * Math.min(0.98, Math.max(0.02, mean)) - 1);

/** Code → logits (§3.3, §4.1): a dense layer with ReLU, then a dense layer with one logit for each class. */
export const classifierHead = (encoder: Architecture, units: number, classes: number): Architecture => {
  const code = outputShape(encoder);
  const flatten: readonly Layer[] = code.length > 1 ? [{ kind: 'flatten', name: 'features' }] : [];
  return {
    input: code,
    layers: [
      ...flatten,
      { kind: 'dense', name: 'hidden', units, activation: 'relu' },
      { kind: 'dense', name: 'logits', units: classes, activation: 'linear' },
    ],
  };
};

/**
 * The shape of the attacker's noise u for one image (§3.2: "an uniform random vector is concatenated to the encoder's features"). Its number
 * of units (of channels, for a convolutional code) is that of the generator's input minus that of the code.
 */
export const noiseShape = (encoder: Network, generator: Network): readonly number[] => {
  const code = outputShape(encoder.architecture);
  return [...code.slice(0, -1), generator.architecture.input.at(-1)! - code.at(-1)!];
};

/** [E_a(x), u], concatenated along the last axis. */
export const withNoise = (code: tf.Tensor, noise: tf.Tensor): tf.Tensor =>
  noise.size === 0 ? code : tf.concat([code, noise], -1);

/** Channels of every hidden convolution of MagNet's auto-encoders for MNIST (Meng & Chen 2017, table 2): 3×3, stride 1, σ throughout. */
const hidden = 3;

const convolution = (number: number, filters: number): Layer => ({
  kind: 'conv2d',
  name: `conv${number}`,
  filters,
  kernel: 3,
  stride: 1,
  activation: 'sigmoid',
});

/** MagNet's auto-encoder I, both detector and reformer. Its middle is half as large as the image, so that it drops detail. */
export const firstReformer = (image: readonly number[]): Architecture => ({
  input: image,
  layers: [
    convolution(1, hidden),
    { kind: 'averagePool', name: 'pool' },
    convolution(2, hidden),
    convolution(3, hidden),
    { kind: 'upSample', name: 'widen', size: [image[0]!, image[1]!] },
    convolution(4, hidden),
    convolution(5, image.at(-1)!),
  ],
});

/** MagNet's auto-encoder II, only a detector. */
export const secondReformer = (image: readonly number[]): Architecture => ({
  input: image,
  layers: [convolution(1, hidden), convolution(2, hidden), convolution(3, image.at(-1)!)],
});
