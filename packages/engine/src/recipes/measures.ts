/** What recipes measure: of a batch, and image by image of a whole split. */
import { classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { yieldToEventLoop } from '../breathe.ts';
import { imagesAt, range } from '../datasets/rows.ts';
import type { Split } from '../datasets/split.ts';

/**
 * Share of a batch whose greatest logit is the label's: [batch, classes] × [batch] → []. A row that is not finite throughout counts as
 * wrong; its loss ends the training.
 */
export const accuracyOf = (logits: tf.Tensor, labels: tf.Tensor1D): tf.Scalar => {
  const finite = tf.isFinite(tf.sum(logits, 1));
  return tf.mean(tf.logicalAnd(tf.equal(tf.argMax(logits, 1), labels), finite).toFloat());
};

/** Images looked at in one pass where nothing is learned. */
const chunk = 500;

/** What `perRow` gives for 0 … count − 1, in order. `perRow`: places → [places, …]; runs inside a tidy. */
const eachRow = async (count: number, perRow: (rows: Uint32Array) => tf.Tensor): Promise<Float32Array> => {
  let values = new Float32Array(0);
  for (let from = 0; from < count; from += chunk) {
    const part = tf.tidy(() => perRow(range(from, Math.min(from + chunk, count))));
    const width = part.size / part.shape[0]!; // values per place
    if (from === 0) values = new Float32Array(count * width);
    values.set(await part.data(), from * width);
    part.dispose();
    await yieldToEventLoop();
  }
  return values;
};

/** What `perImage` gives for every image of a split, in order. `perImage`: images [n, …shape] → [n]; runs inside a tidy. */
export const eachImage = (
  split: Split,
  perImage: (images: tf.Tensor, rows: Uint32Array) => tf.Tensor,
): Promise<Float32Array> => eachRow(split.count, (rows) => perImage(imagesAt(split, rows), rows));

/**
 * 1 for every image of a split that is classified right, else 0: an image that has no class (`classOf`) is not. `logitsAt`: places in the
 * split → [n, classes].
 */
export const rightAt = async (
  logitsAt: (rows: Uint32Array) => tf.Tensor,
  split: Split,
): Promise<Float32Array> => {
  const logits = await eachRow(split.count, logitsAt);
  const predicted = classesOf(logits, logits.length / split.count);
  return Float32Array.from(predicted, (label, i) => Number(label === split.labels[i]));
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
