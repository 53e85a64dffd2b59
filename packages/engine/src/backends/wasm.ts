import { totalmem } from 'node:os';
import { hasFusedMultiplyAdd, registerKernels } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { type BackendDriver, BackendUnavailable } from './backend.ts';

/** A WebAssembly heap of 32-bit addresses. */
const heapLimit = 2 ** 32 - 2 ** 16;

/** XNNPACK and our kernels compiled to WebAssembly with SIMD; one thread, so the order of every sum is fixed. */
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
      // Answers false, and goes on with another backend, where WebAssembly cannot be started.
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
        // Every processor of the last ten years has it; on one without, the last bits of a trained model are others.
        'multiply-add': hasFusedMultiplyAdd() ? 'fused' : 'separate',
      },
      memoryBytes: Math.min(totalmem(), heapLimit),
      repeatable: true,
    };
  },
};

/**
 * Emscripten listens for uncaught errors only to throw them again, which makes Node print the module's whole source above every
 * failure of the program: its listeners go as soon as it has added them.
 */
async function withoutListeners(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  await start();
  for (const [i, event] of events.entries())
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!before[i]!.has(listener)) process.removeListener(event, listener);
}
