/**
 * The reading process: reads one data set and ends. Decoders may block the event loop, so a thread watches the memory. The parent watches the
 * time, and ends the process when no image comes for too long.
 */
import { Worker } from 'node:worker_threads';
import { DatasetFault } from './fault.ts';
import { readDataset } from './read-dataset.ts';
import type { FromReader, Task } from './read-in-process.ts';

/** Exit code: the process had more memory than its limit. */
const watcher = `
const { workerData: { bytes, code } } = require('node:worker_threads');
setInterval(() => { if (process.memoryUsage.rss() > bytes) process.reallyExit(code); }, 20);
`;

/** Milliseconds between two messages about the progress. */
const progressMs = 100;

const send = (message: FromReader): Promise<void> =>
  new Promise((resolve) => {
    if (!process.connected) return resolve();
    process.send!(message, () => resolve());
  });

const describe = (error: unknown): FromReader => {
  if (error instanceof DatasetFault) return { refusal: error.message };
  // An error of the operating system, such as a full disk or a folder that may not be read.
  if (error instanceof Error && 'syscall' in error) return { refusal: error.message };
  return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
};

const run = async ({ request, limits }: Task): Promise<void> => {
  const workerData = { bytes: limits.bytes, code: limits.memoryExitCode };
  new Worker(watcher, { eval: true, execArgv: [], workerData });
  let last = 0;
  const answer = await readDataset(request, (progress) => {
    const now = performance.now();
    if (now - last < progressMs) return;
    last = now;
    void send({ progress });
  }).then((value): FromReader => ({ value }), describe);
  await send(answer);
  process.exit(0);
};

process.once('message', (task: Task) => void run(task));
process.on('disconnect', () => process.exit(0)); // the parent has ended
// Ctrl-C reaches every process of a terminal. The parent ends this process.
process.on('SIGINT', () => {});
