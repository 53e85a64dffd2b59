import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { registerKernels } from '../kernels/register-kernels.ts';
import { type BackendDriver, BackendUnavailable } from './backend.ts';

/** XNNPACK and our kernels compiled to WebAssembly with SIMD; one thread, so the order of every sum is fixed. */
export const wasm: BackendDriver = {
  name: 'wasm',
  async open() {
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')))
      throw new BackendUnavailable(
        'wasm needs WebAssembly SIMD, which this processor or Node lacks; use cpu.',
      );
    setThreadsCount(1);
    registerKernels();
    await tf.setBackend('wasm');
    await tf.ready();
    return {
      name: 'wasm',
      device: 'WebAssembly SIMD, one thread',
      versions: { tfjs: tf.version_core, 'tfjs-backend-wasm': version_wasm },
    };
  },
};
