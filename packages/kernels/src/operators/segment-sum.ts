/**
 * Sums of rows by segment, which tfjs-wasm 4.22 lacks. Gathering needs them on the way back.
 */
import * as tf from '@tensorflow/tfjs';
import { allocate, valuesOf } from './host.ts';

/** x [rows, ...], segmentIds [rows] → [numSegments, ...]: the sum of the rows with each id. Rows with an id out of range are left out. */
export const unsortedSegmentSum: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, segmentIds } = inputs as Readonly<Record<'x' | 'segmentIds', tf.TensorInfo>>;
  const { numSegments } = attrs as unknown as tf.UnsortedSegmentSumAttrs;
  const rows = tf.util.sizeFromShape(segmentIds.shape);
  const rest = x.shape.slice(segmentIds.shape.length);
  const length = tf.util.sizeFromShape(rest);
  const sums = allocate(backend, [numSegments, ...rest]);
  const [values, ids, to] = valuesOf(backend, x, segmentIds, sums);
  for (let row = 0; row < rows; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= numSegments) continue;
    for (let i = 0; i < length; i++) to[id * length + i]! += values[row * length + i]!;
  }
  return sums;
};
