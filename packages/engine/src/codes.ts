/** What a frozen encoder makes of a whole data set, computed once where it fits into memory. */
import * as tf from '@tensorflow/tfjs';
import { yieldToEventLoop } from './breathe.ts';
import { imagesAt, range } from './datasets/rows.ts';
import type { Split } from './datasets/split.ts';
import { outputShape } from './models/architecture.ts';
import type { Network } from './models/network.ts';

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
