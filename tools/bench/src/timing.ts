/** Statistics of times, and the timing of concurrent calls. */

/** The median of at least one value. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
};

/** The `p` quantile (0 to 1) of at least one value, by nearest rank. */
export const percentile = (values: readonly number[], p: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
};

export type Timing = {
  readonly calls: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly perSecond: number;
};

export type Bounds = {
  /** Maximum number of calls. */
  readonly calls: number;
  /** No call starts after this time. */
  readonly seconds: number;
  /** Number of concurrent clients; each makes one call at a time. */
  readonly clients: number;
};

const round = (value: number): number => Math.round(value * 100) / 100;

export const timingOf = (milliseconds: readonly number[], seconds: number): Timing => ({
  calls: milliseconds.length,
  p50: round(percentile(milliseconds, 0.5)),
  p99: round(percentile(milliseconds, 0.99)),
  max: round(percentile(milliseconds, 1)),
  perSecond: round(milliseconds.length / seconds),
});

/**
 * Times calls; each client makes one after the other. `prepare` returns the next call and is not timed. Rejects with the error of a call
 * that fails.
 */
export const timeCalls = async (
  prepare: () => Promise<() => Promise<unknown>>,
  { calls, seconds, clients }: Bounds,
): Promise<Timing> => {
  const taken: number[] = [];
  const started = performance.now();
  let startedCalls = 0;
  const client = async (): Promise<void> => {
    while (startedCalls < calls && (startedCalls < clients || performance.now() - started < seconds * 1000)) {
      startedCalls++;
      const call = await prepare();
      const start = performance.now();
      await call();
      taken.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return timingOf(taken, (performance.now() - started) / 1000);
};
