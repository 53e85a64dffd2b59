/**
 * Loaded into the process of the API before its own code. For each message it sends the longest gap of the event loop since the last one, and
 * the largest memory so far.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type ProcessReport = {
  readonly longestGapMs: number;
  readonly gapMs999: number;
  readonly memoryBytes: number;
  readonly maxMemoryBytes: number;
};

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

process.on('message', () => {
  const report: ProcessReport = {
    longestGapMs: Math.round(delay.max / 1e6),
    gapMs999: Math.round(delay.percentile(99.9) / 1e6),
    memoryBytes: process.memoryUsage.rss(),
    maxMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
  delay.reset();
  process.send?.(report, () => {}); // an error: the parent has gone, and this process ends below
});
// A parent that was killed cannot stop this process.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The process may end while its parent still listens.
process.channel?.unref();
