import * as tf from '@tensorflow/tfjs';
import { adamKernel } from './adam-step.ts';
import { convolve, convolveBack, convolveFilter, type PartialKernel } from './conv-kernels.ts';
import { heapOf, type Tensors } from './heap.ts';
import { layerKernels } from './layer-kernels.ts';
import { matMul } from './matrix-kernels.ts';
import { registerReluGradient, throughReluKernel } from './relu-gradient.ts';

/** Tensors are immutable: another name for one needs no copy of it. (The shipped kernel copies.) */
const identity: tf.KernelFunc = ({ inputs, backend }) => {
  const { x } = inputs as Tensors<'x'>;
  heapOf(backend).backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};

/** Nothing to do where the type stays the same. (The shipped kernel copies.) */
const cast: PartialKernel = (call) => {
  const { x } = call.inputs as Tensors<'x'>;
  return call.attrs?.dtype === x.dtype ? (identity(call) as tf.TensorInfo) : undefined;
};

const kernels: Readonly<Record<string, PartialKernel>> = {
  Conv2D: convolve,
  FusedConv2D: convolve,
  Conv2DBackpropInput: convolveBack,
  Conv2DBackpropFilter: convolveFilter,
  BatchMatMul: matMul,
  Cast: cast,
  _FusedMatMul: matMul,
};

let registered = false;

/** Registers what tfjs-wasm lacks or does slowly; what ours do not take goes to the shipped kernel. Idempotent. */
export function registerKernels(): void {
  if (registered) return;
  registered = true;
  const replace = (kernelName: string, kernelFunc: tf.KernelFunc): void => {
    const shipped = tf.getKernel(kernelName, 'wasm');
    if (shipped) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ ...shipped, kernelName, backendName: 'wasm', kernelFunc });
  };
  replace('Identity', identity);
  replace('FunnelThroughRelu', throughReluKernel);
  registerReluGradient();
  replace('FunnelAdam', adamKernel);
  for (const [name, kernel] of Object.entries(layerKernels)) replace(name, kernel);
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const shipped = tf.getKernel(kernelName, 'wasm');
    const kernelFunc: tf.KernelFunc = (call) => {
      const result = kernel(call) ?? shipped?.kernelFunc(call);
      if (result) return result;
      throw new Error(
        `${kernelName} of these shapes, types or attributes is not there on wasm; use another backend.`,
      );
    };
    replace(kernelName, kernelFunc);
  }
}
