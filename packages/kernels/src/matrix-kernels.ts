import * as tf from '@tensorflow/tfjs';
import type { PartialKernel } from './conv-kernels.ts';
import { heapOf, type Tensors } from './heap.ts';
import { multiply } from './matrix.ts';

interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string;
}

/**
 * BatchMatMul and _FusedMatMul: a [batch, rows, depth], b [batch, depth, columns] (or with 1 for a batch), or both without a batch;
 * bias [columns].
 */
export const matMul: PartialKernel = (call) => {
  const { a, b } = call.inputs as Tensors<'a' | 'b'>;
  const { bias, preluActivationWeights } = call.inputs;
  const { transposeA, transposeB, activation = 'linear' } = call.attrs as unknown as Attributes;
  const [rows, depth] = a.shape.slice(-2) as [number, number];
  const sizes = {
    rows: transposeA ? depth : rows,
    depth: transposeA ? rows : depth,
    columns: b.shape.at(transposeB ? -2 : -1)!,
  };
  const batches = [a, b].map(({ shape }) => tf.util.sizeFromShape(shape.slice(0, -2))) as [number, number];
  const batch = Math.max(...batches);
  const plain =
    a.dtype === 'float32' &&
    b.dtype === 'float32' &&
    (a.shape.length === 2 || a.shape.length === 3) &&
    [a, b].every(({ shape }) => shape.length === a.shape.length && tf.util.sizeFromShape(shape) > 0) &&
    batches.every((count) => count === batch || count === 1) &&
    (activation === 'linear' || activation === 'relu') &&
    !preluActivationWeights;
  if (!plain) return undefined;
  const finishing = bias !== undefined || activation === 'relu';
  if (finishing && (transposeA || (bias && tf.util.sizeFromShape(bias.shape) !== sizes.columns)))
    return undefined;
  const heap = heapOf(call.backend);
  const output = heap.allocate([...(a.shape.length === 3 ? [batch] : []), sizes.rows, sizes.columns]);
  for (let i = 0; i < batch; i++) {
    const at = {
      a: heap.address(a) + (batches[0] > 1 ? 4 * i * rows * depth : 0),
      b: heap.address(b) + (batches[1] > 1 ? 4 * i * sizes.depth * sizes.columns : 0),
      output: heap.address(output) + 4 * i * sizes.rows * sizes.columns,
      ...(bias && { bias: heap.address(bias) }),
    };
    multiply(heap, at, sizes, { a: transposeA, b: transposeB }, activation);
  }
  return output;
};
