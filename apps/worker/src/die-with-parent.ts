import { Worker } from 'node:worker_threads';

const watch = `
  const { workerData } = require('node:worker_threads');
  setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL'); }, 500);
`;

/**
 * Ends this process when its parent is gone, however it went: the closed IPC channel says so at once, and a thread that looks at the
 * parent's id says so even while a training step blocks the event loop.
 */
export const dieWithParent = (): void => {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  new Worker(watch, { eval: true, workerData: process.ppid, execArgv: [], stdin: false }).unref();
};
