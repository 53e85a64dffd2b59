export { type AdamRates, adamStep } from './adam-step.ts';
export { type HeapBackend, heapBackend } from './heap.ts';
export { averagePool, conv2d, conv2dSame, conv2dTranspose, dense, upSample } from './layers.ts';
export { correctMaxPoolGradient } from './max-pool-gradient.ts';
export {
  formatProfile,
  type KernelProfile,
  type KernelTime,
  profileKernels,
  startProfile,
} from './profile.ts';
export { registerKernels } from './register-kernels.ts';
export { hasFusedMultiplyAdd } from './wasm/assembler.ts';
