import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { convolve, convolveBack, convolveFilter, type PartialKernel } from './conv-kernels.ts';
import { matMul } from './matrix-kernels.ts';

const kernels: Readonly<Record<string, PartialKernel>> = {
  Conv2D: convolve,
  FusedConv2D: convolve,
  Conv2DBackpropInput: convolveBack,
  Conv2DBackpropFilter: convolveFilter,
  BatchMatMul: matMul,
  _FusedMatMul: matMul,
};

let registered = false;

/** Registers what tfjs-wasm lacks or does slowly; what ours do not take goes to the shipped kernel. Idempotent. */
export function registerKernels(): void {
  if (registered) return;
  registered = true;
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const shipped = tf.getKernel(kernelName, 'wasm');
    const kernelFunc: tf.KernelFunc = (call) => {
      const result = kernel(call) ?? shipped?.kernelFunc(call);
      if (result) return result;
      throw new Error(
        `${kernelName} of these shapes, types or attributes is not there on wasm; use another backend.`,
      );
    };
    if (shipped) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ ...shipped, kernelName, backendName: 'wasm', kernelFunc });
  }
}
