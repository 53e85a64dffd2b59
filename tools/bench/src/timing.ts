/** Of at least one value. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
};

/** The value that a share `p` (0 to 1) of at least one value does not exceed: the nearest rank. */
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
  /** Calls at most. */
  readonly calls: number;
  /** No call begins after this. */
  readonly seconds: number;
  /** Each has one call under way at a time. */
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
 * Times calls, one after the other for each client. `prepare` is not timed: it says what the next call is. A call that fails ends the
 * measurement with its error.
 */
export const timeCalls = async (
  prepare: () => Promise<() => Promise<unknown>>,
  { calls, seconds, clients }: Bounds,
): Promise<Timing> => {
  const taken: number[] = [];
  const begun = performance.now();
  let begunCalls = 0;
  const client = async (): Promise<void> => {
    while (begunCalls < calls && (begunCalls < clients || performance.now() - begun < seconds * 1000)) {
      begunCalls++;
      const call = await prepare();
      const start = performance.now();
      await call();
      taken.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return timingOf(taken, (performance.now() - begun) / 1000);
};
