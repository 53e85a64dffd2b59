/** Activations that are layers of their own, each with its gradient: [batch, …shape] → the same. */
import * as tf from '@tensorflow/tfjs';
import type { ActivationName } from './architecture.ts';

/** The slope of the leaky ReLU below 0 (Radford et al. 2016). */
export const leakySlope = 0.2;

/** A function of each value, and its derivative as a function of the value `y` of the function. */
const elementwise =
  (compute: (x: tf.Tensor) => tf.Tensor, derivative: (y: tf.Tensor) => tf.Tensor) =>
  (x: tf.Tensor): tf.Tensor => {
    const activate = tf.customGrad((input, save) => {
      const y = compute(input as tf.Tensor);
      (save as tf.GradSaveFunc)([y]);
      return { value: y, gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(dy, derivative(saved!)) };
    });
    return activate(x);
  };

export const activations: Readonly<Record<ActivationName, (x: tf.Tensor) => tf.Tensor>> = {
  relu: (x) => tf.relu(x),
  'leaky-relu': elementwise(
    (x) => tf.maximum(x, tf.mul(x, leakySlope)),
    (y) => tf.add(tf.mul(tf.step(y), 1 - leakySlope), leakySlope),
  ),
  /** eˣ − 1 below 0 (Clevert et al. 2016), where the derivative is y + 1. */
  elu: elementwise(
    (x) => tf.elu(x),
    (y) => tf.add(tf.minimum(y, 0), 1),
  ),
  tanh: elementwise(
    (x) => tf.tanh(x),
    (y) => tf.sub(1, tf.square(y)),
  ),
  /** (1 + tanh x)/2 = σ(2x). */
  unitTanh: elementwise(
    (x) => tf.sigmoid(tf.mul(x, 2)),
    (y) => tf.mul(tf.mul(y, tf.sub(1, y)), 2),
  ),
};
