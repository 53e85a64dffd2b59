/** The networks that recipes train: encoder, generator and classifier head of the paper, and MagNet's auto-encoders. */
import * as tf from '@tensorflow/tfjs';
import { type Architecture, type Layer, outputShape, shapesOf } from './architecture.ts';
import type { Network } from './network.ts';

/** Sizes that the paper (Vigouroux & Picard) does not give, so they are hyperparameters. */
export type AutoEncoderSizes = { readonly filters: readonly number[]; readonly latent: number };

/** '32-64' → [32, 64]. */
export const parseFilters = (filters: string): readonly number[] => filters.split('-').map(Number);

/**
 * Image → code (§4.1): 3×3 convolutions of stride 2 with ReLU, then a linear dense layer of `latent` units. With `latent` 0, the code is
 * the last convolution, which is then linear. By default [28, 28, 1] → [14, 14, 32] → [7, 7, 64] → [64].
 */
export const encoder = (image: readonly number[], { filters, latent }: AutoEncoderSizes): Architecture => {
  const convolutions = filters.map((count, i): Layer => {
    const last = i === filters.length - 1;
    return {
      kind: 'conv2d',
      name: `conv${i + 1}`,
      filters: count,
      activation: last && latent === 0 ? 'linear' : 'relu',
    };
  });
  const code: readonly Layer[] =
    latent === 0
      ? []
      : [
          { kind: 'flatten', name: 'flatten' },
          { kind: 'dense', name: 'code', units: latent, activation: 'linear' },
        ];
  return { input: image, layers: [...convolutions, ...code] };
};

/**
 * Code → image, the mirror of the encoder: a dense layer with ReLU, transposed convolutions with ReLU, the last with (1 + tanh)/2. The
 * input is the code, followed by `noise` more values (channels, for a convolutional code).
 */
export const generator = (
  image: readonly number[],
  { filters, latent }: AutoEncoderSizes,
  noise = 0,
): Architecture => {
  // Every feature map of the encoder, from the image to the last convolution.
  const maps = shapesOf({ input: image, layers: encoder(image, { filters, latent: 0 }).layers });
  const last = maps.at(-1)!;
  const opening: readonly Layer[] =
    latent === 0
      ? []
      : [
          { kind: 'dense', name: 'expand', units: last[0]! * last[1]! * last[2]!, activation: 'relu' },
          { kind: 'reshape', name: 'map', shape: last },
        ];
  const convolutions = filters.map((_, i): Layer => {
    const [height, width, channels] = maps[filters.length - 1 - i] as [number, number, number];
    const output = i === filters.length - 1;
    return {
      kind: 'conv2dTranspose',
      name: `deconv${i + 1}`,
      filters: channels,
      size: [height, width],
      activation: output ? 'unitTanh' : 'relu',
    };
  });
  const input = latent === 0 ? [...last.slice(0, -1), last.at(-1)! + noise] : [latent + noise];
  return { input, layers: [...opening, ...convolutions] };
};

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
  kind: 'conv2dSame',
  name: `conv${number}`,
  filters,
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
