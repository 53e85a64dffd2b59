/** Measures in the trainer process what an attempt uses: CPU time, and the peak of the resident memory. */
import type { Usage } from '@funnel/contracts';

export type Meter = {
  /** The use since the start of the meter. Also looks at the memory, so call it while the attempt runs. */
  readonly read: () => Usage;
};

/** What a meter reads. (Default: this process) */
export type Gauges = {
  readonly now: () => number;
  readonly cpu: () => NodeJS.CpuUsage;
  readonly residentBytes: () => number;
  /** The largest resident memory since the process began, in bytes. */
  readonly recordBytes: () => number;
};

const ofThisProcess: Gauges = {
  now: () => performance.now(),
  cpu: () => process.cpuUsage(),
  residentBytes: () => process.memoryUsage.rss(),
  recordBytes: () => process.resourceUsage().maxRSS * 1024,
};

/**
 * A meter for one attempt. A trainer runs several attempts one after the other, and the system keeps only the peak of the whole process. So the
 * peak is that of the process if it has grown during the attempt, which is exact. Otherwise an earlier attempt needed more, and the peak is the
 * largest of the memory at the start and at each call of `read`: a shorter peak between two calls is not seen.
 */
export const startMeter = (gauges: Gauges = ofThisProcess): Meter => {
  const { now, cpu, residentBytes, recordBytes } = gauges;
  const started = now();
  const before = cpu();
  const recordBefore = recordBytes();
  let seen = residentBytes();
  return {
    read: () => {
      seen = Math.max(seen, residentBytes());
      const record = recordBytes();
      const { user, system } = cpu();
      return {
        seconds: (now() - started) / 1000,
        cpuSeconds: (user + system - before.user - before.system) / 1e6, // from microseconds
        peakBytes: record > recordBefore ? Math.max(record, seen) : seen,
      };
    },
  };
};
