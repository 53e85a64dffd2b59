/**
 * Ends this process when one question has computed for too long or holds too much memory. Planning never yields, so a thread looks. The
 * limit is reached when both the clock and the processor have counted the seconds: on a busy machine the clock runs ahead, and while garbage is
 * collected by many threads the processor does.
 */
import { Worker } from 'node:worker_threads';

/** How a process ends that went beyond a limit: of all signals, nobody else sends this one. */
export const limitSignal = 'SIGVTALRM';

export type Limits = {
  readonly seconds: number;
  readonly bytes: number;
};

/** Seconds of the processor, of all threads. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** `ends`: seconds of the clock and of the processor; the clock's is Infinity while nothing is timed. */
const look = `
const { workerData: { ends, bytes, signal } } = require('node:worker_threads');
const processorSeconds = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
setInterval(() => {
  if (ends[0] === Infinity) return;
  const late = Date.now() / 1000 > ends[0] && processorSeconds() > ends[1];
  if (late || process.memoryUsage.rss() > bytes) process.kill(process.pid, signal);
}, 50);
`;

export type StopWatch = {
  /** What `work` returns, if the process lives to see it. */
  readonly time: <T>(work: () => T) => T;
};

export const createStopWatch = ({ seconds, bytes }: Limits): StopWatch => {
  const ends = new Float64Array(new SharedArrayBuffer(16)).fill(Number.POSITIVE_INFINITY);
  new Worker(look, { eval: true, execArgv: [], workerData: { ends, bytes, signal: limitSignal } });
  return {
    time: (work) => {
      ends[1] = processorSeconds() + seconds;
      ends[0] = Date.now() / 1000 + seconds;
      try {
        return work();
      } finally {
        ends[0] = Number.POSITIVE_INFINITY;
      }
    },
  };
};
