/**
 * Ends this process when one question has computed for too long or holds too much memory. Planning never yields, so a thread looks; and it
 * counts seconds of computing, so that a sweep which a quiet machine plans is not refused by a busy one.
 */
import { Worker } from 'node:worker_threads';

/** How a process ends that went beyond a limit: of all signals, nobody else sends this one. */
export const limitSignal = 'SIGVTALRM';

export type Limits = {
  /** Of computing: time of all threads, the garbage collector's included. */
  readonly seconds: number;
  readonly bytes: number;
};

const look = `
const { workerData: { deadline, bytes, signal } } = require('node:worker_threads');
const seconds = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
setInterval(() => {
  if (deadline[0] === Infinity) return;
  if (seconds() > deadline[0] || process.memoryUsage.rss() > bytes) process.kill(process.pid, signal);
}, 50);
`;

export type StopWatch = {
  /** What `work` returns, if the process lives to see it. */
  readonly time: <T>(work: () => T) => T;
};

export const createStopWatch = ({ seconds, bytes }: Limits): StopWatch => {
  const deadline = new Float64Array(new SharedArrayBuffer(8)).fill(Number.POSITIVE_INFINITY);
  new Worker(look, { eval: true, execArgv: [], workerData: { deadline, bytes, signal: limitSignal } });
  return {
    time: (work) => {
      const { user, system } = process.cpuUsage();
      deadline[0] = (user + system) / 1e6 + seconds;
      try {
        return work();
      } finally {
        deadline[0] = Number.POSITIVE_INFINITY;
      }
    },
  };
};
