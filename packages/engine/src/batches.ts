/** Reads images of a split as tensors, and runs networks over a whole split without training them. */
import { setImmediate } from 'node:timers/promises';
import { classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { gatherImages, type Split } from './datasets/split.ts';
import { outputShape } from './models/architecture.ts';
import type { Network } from './models/network.ts';

/** Lets the event loop handle an abort, a message or a timer between two pieces of work. */
export const yieldToEventLoop = (): Promise<void> => setImmediate();

/** The indices from, …, to − 1. */
export const range = (from: number, to: number): Uint32Array =>
  Uint32Array.from({ length: to - from }, (_, i) => from + i);

/** The images at `indices`, [n, …shape] in [0, 1]. */
export const imagesAt = (split: Split, indices: Uint32Array): tf.Tensor =>
  tf.tensor(gatherImages(split, indices), [indices.length, ...split.shape]);

/** The labels at `indices`, [n], and the same labels one-hot, [n, classes]. */
export const targetsAt = (
  split: Split,
  indices: Uint32Array,
  classes: number,
): { readonly labels: tf.Tensor1D; readonly oneHot: tf.Tensor2D } => {
  const labels = tf.tensor1d(
    Int32Array.from(indices, (index) => split.labels[index]!),
    'int32',
  );
  return { labels, oneHot: tf.oneHot(labels, classes).toFloat() as tf.Tensor2D };
};

/** The results of `compute` for the indices 0 … count − 1, in order. `compute`: indices → [n, …]; runs inside a tidy. */
const inPasses = async (
  count: number,
  imagesPerPass: number,
  compute: (indices: Uint32Array) => tf.Tensor,
  signal?: AbortSignal,
): Promise<Float32Array> => {
  let values = new Float32Array(0);
  for (let from = 0; from < count && !signal?.aborted; from += imagesPerPass) {
    const part = tf.tidy(() => compute(range(from, Math.min(from + imagesPerPass, count))));
    const size = part.size / part.shape[0]!; // values per image
    if (from === 0) values = new Float32Array(count * size);
    values.set(await part.data<'float32'>(), from * size);
    part.dispose();
    await yieldToEventLoop();
  }
  return values;
};

/** The codes of the images at `indices`, [n, …code]. They belong to the caller's tidy. */
export type Codes = (indices: Uint32Array) => tf.Tensor;

/** Larger codes are computed batch by batch. The limit does not depend on the machine's memory, so every machine does the same. */
const maxCachedBytes = 256 * 2 ** 20;

/**
 * The codes that a frozen encoder gives for the images of `split`. Codes of up to `maxBytes` are computed now, for the whole split; larger
 * ones are computed on each call. Stops early when `signal` is aborted; the codes of the remaining images are then 0.
 */
export const encodeAll = async (
  encoder: Network,
  split: Split,
  signal?: AbortSignal,
  maxBytes = maxCachedBytes,
): Promise<Codes> => {
  const shape = outputShape(encoder.architecture);
  const size = shape.reduce((a, b) => a * b, 1);
  const encode: Codes = (indices) => encoder.apply(imagesAt(split, indices));
  if (4 * size * split.count > maxBytes) return encode;
  const codes = await inPasses(split.count, 256, encode, signal);
  return (indices) => {
    const batch = new Float32Array(indices.length * size);
    for (const [i, index] of indices.entries())
      batch.set(codes.subarray(index * size, (index + 1) * size), i * size);
    return tf.tensor(batch, [indices.length, ...shape]);
  };
};

const measuredPerPass = 500;

/** The value of `perImage` for every image of a split, in order. `perImage`: [n, …shape] → [n]; runs inside a tidy. */
export const eachImage = (
  split: Split,
  perImage: (images: tf.Tensor, indices: Uint32Array) => tf.Tensor,
): Promise<Float32Array> =>
  inPasses(split.count, measuredPerPass, (indices) => perImage(imagesAt(split, indices), indices));

/**
 * For every image of a split, 1 where it is classified correctly, else 0. An image whose logits are not finite has no class (`classOf`)
 * and counts as 0. `logitsAt`: indices → [n, classes].
 */
export const correctAt = async (
  logitsAt: (indices: Uint32Array) => tf.Tensor,
  split: Split,
): Promise<Float32Array> => {
  const logits = await inPasses(split.count, measuredPerPass, logitsAt);
  const predicted = classesOf(logits, logits.length / split.count);
  return Float32Array.from(predicted, (label, i) => Number(label === split.labels[i]));
};

/** Like `correctAt`, with a function of the images: [n, …shape] → [n, classes]. */
export const correctOf = (logits: (images: tf.Tensor) => tf.Tensor, split: Split): Promise<Float32Array> =>
  correctAt((indices) => logits(imagesAt(split, indices)), split);

/** The share of ones among zeros and ones. */
export const shareOf = (marks: Float32Array): number => marks.reduce((a, b) => a + b, 0) / marks.length;

/** The share of the images of a split that are classified correctly. */
export const cleanAccuracyOf = async (
  logits: (images: tf.Tensor) => tf.Tensor,
  split: Split,
): Promise<number> => shareOf(await correctOf(logits, split));
