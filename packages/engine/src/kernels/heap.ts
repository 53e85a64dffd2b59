import type * as tf from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

export type Conv2DInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

/** What tfjs hands a kernel under these names; its own type loses that they are there. */
export type Tensors<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;

/** The tfjs-wasm heap as kernels see it. Views go stale when the heap grows: allocate first, view after. */
export interface Heap {
  readonly backend: BackendWasm;
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  floats(tensor: tf.TensorInfo): Float32Array;
  free(tensor: tf.TensorInfo): void;
}

export function heapOf(backend: unknown): Heap {
  const wasm = backend as BackendWasm; // a kernel registered for 'wasm' is only ever handed that backend
  return {
    backend: wasm,
    makeOutput: (shape, dtype) => wasm.makeOutput(shape, dtype),
    floats: (tensor) => wasm.typedArrayFromHeap(tensor) as Float32Array,
    free: (tensor) => {
      wasm.disposeData(tensor.dataId);
    },
  };
}
