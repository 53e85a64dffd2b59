/** What became of a batch of candidates: the two small reads that a step may make. */
import * as tf from '@tensorflow/tfjs';
import type { FlatModel } from './flat-model.ts';

export type Outcomes = {
  /** Class per row, as `predict` gives it. */
  readonly classes: Int32Array;
  /** Squared L2 distance per row. */
  readonly squares: Float32Array;
};

/** `x` and `origin` are `[n, width]`. */
export const outcomes = async (model: FlatModel, x: tf.Tensor2D, origin: tf.Tensor2D): Promise<Outcomes> => {
  const distances = tf.tidy(() => tf.sum(tf.square(x.sub(origin)), 1));
  const squares = await distances.data<'float32'>();
  distances.dispose();
  return { classes: await model.predict(x), squares };
};
