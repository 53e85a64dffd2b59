/** The nearest adversarial of every row so far, on the device: no read, no copy but where a row improves. */
import * as tf from '@tensorflow/tfjs';
import { type Norm, rowNorms } from './norms.ts';
import { chooseRows } from './rows.ts';

export type Best = {
  /** `[n, width]`; the image itself where nothing was found. */
  readonly x: tf.Tensor2D;
  /** `[n, 1]`; `never` where nothing was found. */
  readonly distance: tf.Tensor2D;
};

/** Farther than any image, and finite, so that it can be multiplied by 0. */
export const never = 1e10;

export const startBest = (images: tf.Tensor2D): Best =>
  tf.tidy(() => ({ x: images.clone(), distance: tf.fill([images.shape[0], 1], never) as tf.Tensor2D }));

/** Rows of `x` that are adversarial (`[n, 1]` of 0 and 1) and nearer take the place of the best. The caller disposes of the old one. */
export const improve = (
  best: Best,
  x: tf.Tensor2D,
  origin: tf.Tensor2D,
  adversarial: tf.Tensor2D,
  norm: Norm,
): Best =>
  tf.tidy(() => {
    const distance = rowNorms(x.sub(origin), norm);
    const better = tf.less(distance, best.distance).toFloat().mul<tf.Tensor2D>(adversarial);
    return { x: chooseRows(better, x, best.x), distance: chooseRows(better, distance, best.distance) };
  });

/** 1 where a row's class is not its label, `[n, 1]`. */
export const isAdversarial = (logits: tf.Tensor2D, labels: Int32Array): tf.Tensor2D =>
  tf.tidy(() => tf.notEqual(tf.argMax(logits, 1), tf.tensor1d(labels, 'int32')).toFloat().expandDims(1));
