/** The attacker's noise: "an uniform random vector is concatenated to the encoder's features" (§3.2). */
import * as tf from '@tensorflow/tfjs';
import { outputShape } from './architecture.ts';
import type { Network } from './network.ts';

/** The shape of u for one image: as many units, or channels of a convolutional code, as the generator takes more than the encoder gives. */
export const noiseShape = (encoder: Network, generator: Network): readonly number[] => {
  const code = outputShape(encoder.architecture);
  return [...code.slice(0, -1), generator.architecture.input.at(-1)! - code.at(-1)!];
};

/** [E_a(x), u]: along the last axis. */
export const withNoise = (code: tf.Tensor, noise: tf.Tensor): tf.Tensor =>
  noise.size === 0 ? code : tf.concat([code, noise], -1);
