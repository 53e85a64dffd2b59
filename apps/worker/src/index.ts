export { defaultSlots } from './capacity.ts';
export { readEnv } from './env.ts';
export { workerOptions } from './env-options.ts';
export type { WorkerOptions } from './options.ts';
export type { SimulatedFault, SimulationOptions } from './stand-in/options.ts';
export { createSimulatedTrainer } from './stand-in/run-stand-in.ts';
export { type RunningWorker, startWorker } from './start-worker.ts';
export { oneCore, startTrainer, type Trainer } from './trainer-process.ts';
