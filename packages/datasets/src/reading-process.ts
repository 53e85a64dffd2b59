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

/** `folder`: where the images are written. The system's message of a full disk does not name it. */
const describe = (error: unknown, folder: string): FromReader => {
  if (error instanceof DatasetFault) return { refusal: error.message };
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    return {
      refusal: `${folder}: expected room for the images, but the disk is full: free some space, or set FUNNEL_HOME to a folder on another disk`,
    };
  // Another error of the operating system, such as a folder that may not be read.
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
  }).then(
    (value): FromReader => ({ value }),
    (error: unknown) => describe(error, request.folder),
  );
  await send(answer);
  process.exit(0);
};

process.once('message', (task: Task) => void run(task));
process.on('disconnect', () => process.exit(0)); // the parent has ended
// Ctrl-C reaches every process of a terminal. The parent ends this process.
process.on('SIGINT', () => {});
