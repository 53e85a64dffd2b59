/** Another client, in a thread of its own: it asks for `/healthz` and a leaderboard ten times a second, and keeps its slowest answers. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const client = `
const { parentPort, workerData: url } = require('node:worker_threads');
const report = { requests: 0, slowestMs: 0, failed: 0 };
const ask = async (path) => {
  const start = performance.now();
  const response = await fetch(url + path).catch(() => null);
  await response?.text();
  report.requests++;
  if (!response?.ok) report.failed++;
  report.slowestMs = Math.max(report.slowestMs, Math.round(performance.now() - start));
};
const again = async () => {
  await Promise.all([ask('/healthz'), ask('/v1/leaderboard')]);
  setTimeout(again, 100);
};
parentPort.on('message', () => parentPort.postMessage(report));
again();
`;

export type NeighbourReport = {
  readonly requests: number;
  readonly slowestMs: number;
  readonly failed: number;
};

export const openNeighbour = (url: string) => {
  const worker = new Worker(client, { eval: true, execArgv: [], workerData: url });
  return {
    report: async (): Promise<NeighbourReport> => {
      worker.postMessage('report');
      const [report] = await once(worker, 'message');
      return report as NeighbourReport; // as the thread posts it
    },
    close: () => worker.terminate(),
  };
};
