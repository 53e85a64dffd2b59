export type { WorkerOptions } from './options.ts';
export { readEnv, workerOptions } from './options.ts';
export type { SimulatedFault, SimulationOptions } from './simulated-faults.ts';
export { createSimulatedTrainer } from './simulated-trainer.ts';
export { oneCore, startTrainer, type Trainer } from './trainer-process.ts';
export { defaultSlots, type RunningWorker, startWorker } from './worker.ts';
