/**
 * Layers, Adam and corrections for TensorFlow.js. The import changes no backend: `registerKernels` makes wasm fast, and
 * `correctMaxPoolGradient` makes it right. README.md lists the files in reading order.
 */

// Layers and an optimiser that run on any backend.
export { type AdamRates, adamStep } from './adam-step.ts';
// The memory of the wasm backend.
export { type HeapBackend, heapBackend } from './heap.ts';
export { averagePool, conv2d, conv2dSame, conv2dTranspose, dense, upSample } from './layers.ts';
// Changes to the wasm backend.
export { correctMaxPoolGradient } from './max-pool-gradient.ts';
// The time in each kernel.
export { formatProfile, type KernelProfile, startProfile } from './profile.ts';
export { registerKernels } from './register-kernels.ts';
export { hasFusedMultiplyAdd } from './wasm/assembler.ts';
