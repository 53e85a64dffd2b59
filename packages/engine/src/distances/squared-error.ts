import * as tf from '@tensorflow/tfjs';
import type { Distance } from './distance.ts';

/** Sum over an image of (a − b)²: [batch, …shape] × the same → [batch]. Differentiable in `a` alone. */
const squaredError: Distance = (a, b) => {
  const batch = a.shape[0]!;
  const flat = [batch, a.size / batch] as [number, number];
  const error = tf.customGrad((x, save) => {
    const difference = tf.sub(tf.reshape(x as tf.Tensor, flat), tf.reshape(b, flat)); // [batch, pixels]
    (save as tf.GradSaveFunc)([difference]);
    return {
      value: tf.sum(tf.square(difference), 1), // [batch]
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
        tf.reshape(tf.mul(saved!, tf.reshape(tf.mul(dy, 2), [batch, 1])), a.shape),
    };
  });
  return error(a) as tf.Tensor1D;
};

/** The mean over the pixels of (a − b)². */
export const mse: Distance = (a, b) => tf.div(squaredError(a, b), a.size / a.shape[0]!);

export const halfMse: Distance = (a, b) => tf.div(squaredError(a, b), (2 * a.size) / a.shape[0]!);

/** The L2 norm over 128. The 1e-12 under the root bounds its slope where the error is 0. */
export const norm: Distance = (a, b) => tf.div(tf.sqrt(tf.add(squaredError(a, b), 1e-12)), 128);
