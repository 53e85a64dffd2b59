/** Another client, in a thread of its own: it asks for `/healthz` and a leaderboard ten times a second, and keeps its slowest answers. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const client = `
const { parentPort, workerData: url } = require('node:worker_threads');
const none = { requests: 0, failed: 0, slowestHealthMs: 0, slowestLeaderboardMs: 0 };
const report = { ...none };
const ask = async (path, slowest) => {
  const start = performance.now();
  const response = await fetch(url + path).catch(() => null);
  await response?.text();
  report.requests++;
  if (!response?.ok) report.failed++;
  report[slowest] = Math.max(report[slowest], Math.round(performance.now() - start));
};
const again = async () => {
  await Promise.all([ask('/healthz', 'slowestHealthMs'), ask('/v1/leaderboard', 'slowestLeaderboardMs')]);
  setTimeout(again, 100);
};
parentPort.on('message', () => {
  parentPort.postMessage(report);
  Object.assign(report, none);
});
again();
`;

export type NeighbourReport = {
  readonly requests: number;
  readonly failed: number;
  readonly slowestHealthMs: number;
  readonly slowestLeaderboardMs: number;
};

export const openNeighbour = (url: string) => {
  const worker = new Worker(client, { eval: true, execArgv: [], workerData: url });
  return {
    /** The answers since the last report. */
    report: async (): Promise<NeighbourReport> => {
      const answer = once(worker, 'message');
      worker.postMessage('report');
      const [report] = await answer;
      return report as NeighbourReport; // as the thread posts it
    },
    close: () => worker.terminate(),
  };
};
