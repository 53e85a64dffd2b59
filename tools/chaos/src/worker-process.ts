/** A worker of the chaos suite: the product's own, with the stand-in trainer unless it is to train for real. Its options come as JSON. */
import { startWorker, type WorkerOptions } from '@funnel/worker';
import { pino } from 'pino';

export type WorkerProcessOptions = Omit<WorkerOptions, 'log'>;

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerProcessOptions; // written by fleet.ts
const worker = await startWorker({ ...options, log: pino() });
const leave = (): void => void worker.stop().then(() => process.exit(0));
process.on('SIGTERM', leave).on('SIGINT', leave);
worker.failed.catch(() => process.exit(1));
