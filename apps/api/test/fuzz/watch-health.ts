/** A client that asks `/healthz` ten times a second from a thread of its own, since who holds up the service holds up its own thread. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const client = `
const { parentPort, workerData: url } = require('node:worker_threads');
let last = performance.now();
let longest = 0;
let asked = true; // told after the first answer, and then after the one that comes next
const ask = async () => {
  await (await fetch(url)).text();
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
  if (asked) parentPort.postMessage(longest);
  if (asked) longest = 0;
  asked = false;
  setTimeout(ask, 100);
};
parentPort.on('message', () => { asked = true; });
ask();
`;

export type HealthWatch = {
  /** Milliseconds of the longest time between two answers, from when this was asked last to the next answer; some 100 on an idle service. */
  readonly longestGap: () => Promise<number>;
  readonly close: () => Promise<void>;
};

export const watchHealth = async (address: string): Promise<HealthWatch> => {
  const worker = new Worker(client, { eval: true, execArgv: [], workerData: `${address}/healthz` });
  await once(worker, 'message');
  return {
    longestGap: async () => {
      worker.postMessage('tell');
      const [longest] = await once(worker, 'message');
      return Math.round(Number(longest));
    },
    close: async () => {
      await worker.terminate();
    },
  };
};
