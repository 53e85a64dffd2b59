/** Some images of a split, by their places in it, and their labels as tensors. */
import * as tf from '@tensorflow/tfjs';
import { gatherImages, type Split } from './split.ts';

/** from, …, to − 1. */
export const range = (from: number, to: number): Uint32Array =>
  Uint32Array.from({ length: to - from }, (_, i) => from + i);

/** [rows.length, …shape] in [0, 1]. */
export const imagesAt = (split: Split, rows: Uint32Array): tf.Tensor =>
  tf.tensor(gatherImages(split, rows), [rows.length, ...split.shape]);

/** Labels, [rows.length], and the same as rows with a one, [rows.length, classes]. */
export const targetsAt = (
  { labels }: Split,
  rows: Uint32Array,
  classes: number,
): { readonly labels: tf.Tensor1D; readonly oneHot: tf.Tensor2D } => {
  const own = tf.tensor1d(
    Int32Array.from(rows, (row) => labels[row]!),
    'int32',
  );
  return { labels: own, oneHot: tf.oneHot(own, classes).toFloat() as tf.Tensor2D };
};
