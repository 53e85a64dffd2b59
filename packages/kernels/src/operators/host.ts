/**
 * Tensors whose values JavaScript can reach: those of the backends `cpu` and `wasm`. One loop in JavaScript then serves both, with the same
 * bits.
 */
import * as tf from '@tensorflow/tfjs';
import type { HeapBackend } from '../heap.ts';

/** The backends that have such tensors. */
export const hostBackends = ['cpu', 'wasm'] as const;
export type HostBackend = (typeof hostBackends)[number];

/** The part of tfjs-cpu's backend that we use. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): tf.TensorInfo;
}

export const isCpu = (backend: object): backend is CpuBackend => 'makeTensorInfo' in backend;

/** A new tensor of zeros. Views that `valuesOf` answered before are invalid after this call. */
export function allocate(backend: unknown, shape: readonly number[]): tf.TensorInfo {
  const host = backend as CpuBackend | HeapBackend; // kernels of `hostBackends` get one of these
  if (isCpu(host))
    return host.makeTensorInfo([...shape], 'float32', new Float32Array(tf.util.sizeFromShape([...shape])));
  const tensor = host.makeOutput([...shape], 'float32');
  host.typedArrayFromHeap(tensor).fill(0);
  return tensor;
}

/** Views of the values of tensors. Integers and truth values come as integers. */
export function valuesOf<const T extends readonly tf.TensorInfo[]>(
  backend: unknown,
  ...tensors: T
): { [K in keyof T]: Float32Array } {
  const host = backend as CpuBackend | HeapBackend;
  const views = tensors.map((tensor) =>
    isCpu(host) ? host.data.get(tensor.dataId).values : host.typedArrayFromHeap(tensor),
  );
  return views as { [K in keyof T]: Float32Array }; // one view for each tensor
}
