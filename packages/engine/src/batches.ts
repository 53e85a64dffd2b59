import { setImmediate } from 'node:timers/promises';
import { classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { gatherImages, type Split } from './datasets/split.ts';
import { outputShape } from './models/architecture.ts';
import type { Network } from './models/network.ts';

/** Lets the event loop hear an abort, a message or a timer between two pieces of work. */
export const yieldToEventLoop = (): Promise<void> => setImmediate();

/** Some images of a split, by their places in it, and their labels as tensors. */

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

/** What a frozen encoder makes of a whole data set, computed once where it fits into memory. */

/** Codes of the images at `rows`, [rows.length, …code]; the caller's tidy owns them. */
export type Codes = (rows: Uint32Array) => tf.Tensor;

/** More than this is computed batch by batch instead. A size and not a share of memory, so that every machine does the same. */
const maxCachedBytes = 256 * 2 ** 20;

const chunk = 256;

/** Encodes every image of `split`, or prepares to do so when asked. Stops early, with what it has, when `signal` is aborted. */
export const encodeAll = async (
  encoder: Network,
  split: Split,
  signal?: AbortSignal,
  maxBytes = maxCachedBytes,
): Promise<Codes> => {
  const shape = outputShape(encoder.architecture);
  const size = shape.reduce((a, b) => a * b, 1);
  if (4 * size * split.count > maxBytes) return (rows) => encoder.apply(imagesAt(split, rows));

  const codes = new Float32Array(size * split.count);
  for (let from = 0; from < split.count && !signal?.aborted; from += chunk) {
    const rows = range(from, Math.min(from + chunk, split.count));
    const encoded = tf.tidy(() => encoder.apply(imagesAt(split, rows)));
    codes.set(await encoded.data<'float32'>(), from * size);
    encoded.dispose();
    await yieldToEventLoop();
  }
  return (rows) => {
    const batch = new Float32Array(rows.length * size);
    for (const [i, row] of rows.entries()) batch.set(codes.subarray(row * size, (row + 1) * size), i * size);
    return tf.tensor(batch, [rows.length, ...shape]);
  };
};

/** Images looked at in one pass where nothing is learned. */
const imagesPerPass = 500;

/** What `perRow` gives for 0 … count − 1, in order. `perRow`: places → [places, …]; runs inside a tidy. */
const eachRow = async (count: number, perRow: (rows: Uint32Array) => tf.Tensor): Promise<Float32Array> => {
  let values = new Float32Array(0);
  for (let from = 0; from < count; from += imagesPerPass) {
    const part = tf.tidy(() => perRow(range(from, Math.min(from + imagesPerPass, count))));
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
