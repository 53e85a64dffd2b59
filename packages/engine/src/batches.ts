/** Reads images of a split as tensors, and runs networks over a whole split without training them. */
import { setImmediate } from 'node:timers/promises';
import { type CleanCounts, classesOf, countClean } from '@funnel/contracts';
import { filledTensor, unitTensor } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { partsOf, type Split } from './datasets/split.ts';
import { outputShape } from './models/architecture.ts';
import type { Network } from './models/network.ts';

/** Lets the event loop handle an abort, a message or a timer between two pieces of work. */
export const yieldToEventLoop = (): Promise<void> => setImmediate();

/** The images at `indices`, [n, …shape] in [0, 1]. */
export const imagesAt = (split: Split, indices: Uint32Array): tf.Tensor =>
  unitTensor([indices.length, ...split.shape], split.read(indices));

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

/**
 * The results of `compute` for all images of a split, in order, in passes of `imagesPerPass` (fewer, if the images are large).
 * `compute`: indices → [n, …]; runs inside a tidy.
 */
const inPasses = async (
  split: Split,
  imagesPerPass: number,
  compute: (indices: Uint32Array) => tf.Tensor,
  signal?: AbortSignal,
): Promise<Float32Array> => {
  let values = new Float32Array(0);
  for (const indices of partsOf(split, imagesPerPass)) {
    if (signal?.aborted) break;
    const part = tf.tidy(() => compute(indices));
    const size = part.size / indices.length; // values per image
    if (values.length === 0) values = new Float32Array(split.count * size);
    values.set(await part.data<'float32'>(), indices[0]! * size);
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
  const codes = await inPasses(split, 256, encode, signal);
  return (indices) =>
    filledTensor([indices.length, ...shape], (batch) => {
      for (const [i, index] of indices.entries())
        batch.set(codes.subarray(index * size, (index + 1) * size), i * size);
    });
};

const measuredPerPass = 500;

/** The value of `perImage` for every image of a split, in order. `perImage`: [n, …shape] → [n]; runs inside a tidy. */
export const eachImage = (
  split: Split,
  perImage: (images: tf.Tensor, indices: Uint32Array) => tf.Tensor,
): Promise<Float32Array> =>
  inPasses(split, measuredPerPass, (indices) => perImage(imagesAt(split, indices), indices));

/**
 * For every image of a split, 1 where it is classified correctly, else 0. An image whose logits are not finite has no class (`classOf`)
 * and counts as 0. `logitsAt`: indices → [n, classes].
 */
export const correctAt = async (
  logitsAt: (indices: Uint32Array) => tf.Tensor,
  split: Split,
): Promise<Float32Array> => {
  const logits = await inPasses(split, measuredPerPass, logitsAt);
  const predicted = classesOf(logits, logits.length / split.count);
  return Float32Array.from(predicted, (label, i) => Number(label === split.labels[i]));
};

/** Like `correctAt`, with a function of the images: [n, …shape] → [n, classes]. */
export const correctOf = (logits: (images: tf.Tensor) => tf.Tensor, split: Split): Promise<Float32Array> =>
  correctAt((indices) => logits(imagesAt(split, indices)), split);

/** The share of ones among zeros and ones. */
export const shareOf = (marks: Float32Array): number => marks.reduce((a, b) => a + b, 0) / marks.length;

/** The clean accuracy over a split, in all and of each class. `correct`: 1 or 0 for every image of the split. */
export const cleanMeasures = (
  correct: Float32Array,
  { labels }: Split,
  classes: number,
): { readonly cleanAccuracy: number; readonly perClass: CleanCounts } => ({
  cleanAccuracy: shareOf(correct),
  perClass: countClean(labels, correct, classes),
});
