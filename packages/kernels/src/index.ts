/**
 * Layers, Adam and corrections for TensorFlow.js. The import changes no backend: `registerKernels` makes wasm fast, and `correctOperators` makes
 * the operators of TensorFlow.js right. README.md says in which order to read the files.
 */

// Layers, an optimiser and new tensors that run on any backend.
export { type AdamRates, adamStep } from './adam-step.ts';
// The wasm backend's memory, and what a backend computes with.
export { type HeapBackend, heapBackend } from './heap.ts';
export { averagePool, conv2d, conv2dTranspose, dense, upSample } from './layers.ts';
export { filledTensor, unitTensor } from './new-tensors.ts';
// Corrections of TensorFlow.js, and what is right after them.
export { correctOperators } from './operators/correct-operators.ts';
export {
  type OperatorSupport,
  operatorsWithoutGradient,
  operatorTable,
  type Support,
} from './operators/operator-table.ts';
// Where the time goes.
export { formatProfile, type KernelProfile, startProfile } from './profile.ts';
// Fast kernels for the wasm backend.
export { registerKernels } from './register-kernels.ts';
export { hasFusedMultiplyAdd } from './wasm/assembler.ts';
