import { totalmem } from 'node:os';
import { hasFusedMultiplyAdd, registerKernels } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { type BackendDriver, BackendUnavailable } from './backend.ts';

/** Bytes of the largest WebAssembly memory with 32-bit addresses. */
const heapLimit = 2 ** 32 - 2 ** 16;

/** tfjs-wasm (XNNPACK) with the kernels of @funnel/kernels. It runs on one thread, so that the order of every sum is fixed. */
export const wasm: BackendDriver = {
  name: 'wasm',
  async open() {
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')))
      throw new BackendUnavailable(
        'wasm needs WebAssembly SIMD, which this processor or Node lacks; use cpu.',
      );
    tf.enableProdMode(); // silences tfjs' advice to install tfjs-node
    setThreadsCount(1);
    registerKernels();
    await withoutListeners(async () => {
      // Where WebAssembly cannot start, tfjs answers false and would go on with another backend.
      if (!(await tf.setBackend('wasm')))
        throw new BackendUnavailable(
          'wasm could not be started: there may be too little memory, or too few addresses (ulimit -v).',
        );
      await tf.ready();
    });
    return {
      name: 'wasm',
      device: 'WebAssembly SIMD, one thread',
      versions: {
        tfjs: tf.version_core,
        'tfjs-backend-wasm': version_wasm,
        // Every processor of the last ten years fuses. On one that does not, the last bits of a trained model differ.
        'multiply-add': hasFusedMultiplyAdd() ? 'fused' : 'separate',
      },
      memoryBytes: Math.min(totalmem(), heapLimit),
      repeatable: true,
    };
  },
};

/**
 * Runs `start` and removes the listeners that Emscripten adds meanwhile. They catch uncaught errors only to throw them again, and then Node
 * prints the whole source of the module above the error.
 */
async function withoutListeners(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  await start();
  for (const [i, event] of events.entries())
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!before[i]!.has(listener)) process.removeListener(event, listener);
}
