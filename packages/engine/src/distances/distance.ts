import * as tf from '@tensorflow/tfjs';

/** The distance of each image from its counterpart: [batch, height, width, channels] × the same → [batch]. Differentiable in the first. */
export type Distance = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor1D;

/**
 * The mean over the pixels of a function of e = a − b, from the function and its derivative: [batch, …shape] × the same → [batch]. Without a
 * gradient of its own, TensorFlow.js would record every operation, which costs several times as much as the arithmetic.
 */
export const meanOver =
  (compute: (error: tf.Tensor) => tf.Tensor, derivative: (error: tf.Tensor) => tf.Tensor): Distance =>
  (a, b) => {
    const batch = a.shape[0]!;
    const pixels = a.size / batch;
    const flat = [batch, pixels] as [number, number];
    const mean = tf.customGrad((x, save) => {
      const error = tf.sub(tf.reshape(x as tf.Tensor, flat), tf.reshape(b, flat)); // [batch, pixels]
      (save as tf.GradSaveFunc)([error]);
      return {
        value: tf.div(tf.sum(compute(error), 1), pixels), // [batch]
        gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
          tf.reshape(tf.mul(derivative(saved!), tf.reshape(tf.div(dy, pixels), [batch, 1])), a.shape),
      };
    });
    return mean(a) as tf.Tensor1D;
  };
