/** A client that calls `/healthz` ten times a second from a thread of its own, because the service runs in the thread of the test. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const client = `
const { parentPort, workerData: url } = require('node:worker_threads');
let last = performance.now();
let longest = 0;
let asked = true; // the first answer posts a message, too
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
  /** The longest time between two answers since the last call, in milliseconds; about 100 for an idle service. */
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
