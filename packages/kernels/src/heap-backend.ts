/** tfjs-wasm's own heap, without importing the backend: this package runs on any. */
import * as tf from '@tensorflow/tfjs';

/** The parts of the wasm backend that are used here. Views are stale once another tensor is made. */
export type HeapBackend = {
  readonly makeOutput: (shape: number[], dtype: 'float32') => tf.TensorInfo;
  readonly typedArrayFromHeap: (tensor: tf.TensorInfo) => Float32Array;
};

/** The backend in use, where it is one with a heap. */
export const heapBackend = (): HeapBackend | undefined => {
  const backend = tf.backend() as Partial<HeapBackend>; // asked for what it has
  return backend.makeOutput && backend.typedArrayFromHeap ? (backend as HeapBackend) : undefined;
};
