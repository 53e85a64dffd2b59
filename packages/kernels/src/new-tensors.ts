/**
 * New tensors from values of the host. On the wasm backend the values go straight to its heap: the arrays of a batch, allocated at every
 * step, would make V8 collect garbage for 6 % of the time of training.
 */
import * as tf from '@tensorflow/tfjs';
import { heapBackend, heapOf } from './heap.ts';
import { bytesToUnit } from './wasm/elementwise.ts';

/** A new float32 tensor. `fill` writes all its values, and makes no tensor meanwhile. */
export const filledTensor = (shape: number[], fill: (values: Float32Array) => void): tf.Tensor => {
  const heap = heapBackend();
  if (heap === undefined) {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    fill(values);
    return tf.tensor(values, shape);
  }
  const made = heap.makeOutput(shape, 'float32');
  fill(heap.typedArrayFromHeap(made));
  return tf.engine().makeTensorFromTensorInfo(made);
};

/** Bytes as a new float32 tensor in [0, 1]: 255 stands for 1. */
export const unitTensor = (shape: number[], bytes: Uint8Array): tf.Tensor => {
  if (heapBackend() === undefined)
    return filledTensor(shape, (values) => {
      for (let i = 0; i < bytes.length; i++) values[i] = bytes[i]! / 255;
    });
  const heap = heapOf(tf.backend());
  const source = heap.scratch('bytes', bytes.length);
  const made = heap.allocate(shape);
  heap.bytes(source, bytes.length).set(bytes);
  heap.once('bytesToUnit', () => heap.compile(bytesToUnit()))(source, heap.address(made), bytes.length);
  return tf.engine().makeTensorFromTensorInfo(made);
};
