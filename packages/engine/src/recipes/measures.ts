/** What recipes measure: of a batch, and image by image of a whole split. */
import * as tf from '@tensorflow/tfjs';
import { breathe } from '../breathe.ts';
import { imagesAt, range } from '../datasets/rows.ts';
import type { Split } from '../datasets/split.ts';

/** Share of a batch whose greatest logit is the label's: [batch, classes] × [batch] → []. */
export const accuracyOf = (logits: tf.Tensor, labels: tf.Tensor1D): tf.Scalar =>
  tf.mean(tf.equal(tf.argMax(logits, 1), labels).toFloat());

/** Images looked at in one pass where nothing is learned. */
const chunk = 500;

/** What `perRow` gives for 0 … count − 1, in order. `perRow`: places → [places]; runs inside a tidy. */
const eachRow = async (count: number, perRow: (rows: Uint32Array) => tf.Tensor): Promise<Float32Array> => {
  const values = new Float32Array(count);
  for (let from = 0; from < count; from += chunk) {
    const part = tf.tidy(() => perRow(range(from, Math.min(from + chunk, count))));
    values.set(await part.data(), from);
    part.dispose();
    await breathe();
  }
  return values;
};

/** What `perImage` gives for every image of a split, in order. `perImage`: images [n, …shape] → [n]; runs inside a tidy. */
export const eachImage = (
  split: Split,
  perImage: (images: tf.Tensor, rows: Uint32Array) => tf.Tensor,
): Promise<Float32Array> => eachRow(split.count, (rows) => perImage(imagesAt(split, rows), rows));

/** 1 for every image of a split that is classified right, else 0. `logitsAt`: places in the split → [n, classes]. */
export const rightAt = async (
  logitsAt: (rows: Uint32Array) => tf.Tensor,
  split: Split,
): Promise<Float32Array> => {
  const predicted = await eachRow(split.count, (rows) => tf.argMax(logitsAt(rows), 1));
  return predicted.map((label, i) => Number(label === split.labels[i]));
};

/** The same, from the images: [n, …shape] → [n, classes]. */
export const rightOf = (logits: (images: tf.Tensor) => tf.Tensor, split: Split): Promise<Float32Array> =>
  rightAt((rows) => logits(imagesAt(split, rows)), split);

/** Share of ones. */
export const shareOf = (marks: Float32Array): number => marks.reduce((a, b) => a + b, 0) / marks.length;

/** Share of the images of a split that are classified right. */
export const cleanAccuracyOf = async (
  logits: (images: tf.Tensor) => tf.Tensor,
  split: Split,
): Promise<number> => shareOf(await rightOf(logits, split));
