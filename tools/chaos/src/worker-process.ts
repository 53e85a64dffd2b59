/**
 * A worker of the chaos suite: the real worker, with a simulated trainer unless the run trains. The argument of the process is the worker's
 * options as JSON.
 */
import { startWorker, type WorkerOptions } from '@funnel/worker';
import { pino } from 'pino';

export type WorkerProcessOptions = Omit<WorkerOptions, 'log'>;

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerProcessOptions; // see fleet.ts
const worker = await startWorker({ ...options, log: pino() });
const shutDown = (): void => void worker.stop().then(() => process.exit(0));
process.on('SIGTERM', shutDown).on('SIGINT', shutDown);
worker.failed.catch(() => process.exit(1));
