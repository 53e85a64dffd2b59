export { type Backend, type BackendName, BackendUnavailable, backendNames } from './backends/backend.ts';
export { openBackend } from './backends/open-backend.ts';
export { registerKernels } from './kernels/register-kernels.ts';
