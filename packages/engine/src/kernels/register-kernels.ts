import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { conv2DBackpropFilter, conv2DBackpropInput } from './conv-gradients.ts';

const kernels: Readonly<Record<string, tf.KernelFunc>> = {
  Conv2DBackpropFilter: conv2DBackpropFilter,
  Conv2DBackpropInput: conv2DBackpropInput,
};

/** Registers what tfjs-wasm lacks or does slowly. Idempotent. */
export function registerKernels(): void {
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    const shipped = tf.getKernel(kernelName, 'wasm');
    if (shipped?.kernelFunc === kernelFunc) continue;
    if (shipped) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
}
