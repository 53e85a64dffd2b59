import * as tf from '@tensorflow/tfjs';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { expect } from 'vitest';
import { registerKernels } from '../src/register-kernels.ts';

/** Makes tfjs run on a backend, with the kernels of this package. */
export async function openBackend(name: 'wasm' | 'cpu'): Promise<void> {
  tf.enableProdMode(); // silences tfjs' advice to install tfjs-node
  setThreadsCount(1);
  registerKernels();
  await tf.setBackend(name);
  await tf.ready();
}

export interface Pair {
  readonly wasm: readonly Float32Array[];
  readonly cpu: readonly Float32Array[];
}

/** The results of `compute` on wasm and on tfjs-cpu, which sums in nearly double precision. */
export async function onBoth(compute: () => tf.Tensor[]): Promise<Pair> {
  const on = async (backend: string): Promise<Float32Array[]> => {
    await tf.setBackend(backend);
    return tf.tidy(() => compute().map((tensor) => Float32Array.from(tensor.dataSync())));
  };
  return { wasm: await on('wasm'), cpu: await on('cpu') };
}

/** Expects every value to agree within `tolerance` times the largest value of its tensor. */
export function expectClose({ wasm, cpu }: Pair, tolerance = 5e-6): void {
  expect(wasm.map((values) => values.length)).toEqual(cpu.map((values) => values.length));
  const errors = wasm.map((values, i) => {
    const expected = cpu[i]!;
    const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    return values.reduce((worst, value, j) => Math.max(worst, Math.abs(value - expected[j]!)), 0) / scale;
  });
  for (const error of errors) expect(error).toBeLessThan(tolerance); // NaN fails too
}
