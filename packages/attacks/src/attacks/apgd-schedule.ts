/** One image's step size in Auto-PGD: halved at checkpoints where the loss has stopped rising (Croce & Hein 2020, §3.2). */
export type Schedule = {
  readonly begin: (loss: number) => void;
  readonly stepSize: () => number;
  /** Takes the loss of the next iterate. `restart`: the step size was halved; go on from the best point. */
  readonly report: (loss: number) => { readonly improved: boolean; readonly restart: boolean };
};

/** At least this share of the steps since the last checkpoint must have raised the loss (ρ). */
const minRising = 0.75;

export const createSchedule = (stepSize: number, steps: number): Schedule => {
  const minPeriod = Math.max(Math.floor(0.06 * steps), 1);
  const shortening = Math.max(Math.floor(0.03 * steps), 1);
  let period = Math.max(Math.floor(0.22 * steps), 1);
  let size = stepSize;
  let best = Number.NEGATIVE_INFINITY;
  let bestAtCheckpoint = Number.NEGATIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let halvedAtCheckpoint = true;
  let rises = 0;
  let since = 0;
  return {
    begin: (loss) => {
      best = Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss; // so that the next one improves on it
      bestAtCheckpoint = best;
      last = 0; // the reference implementation compares the first iterate with an empty slot of its loss table
    },
    stepSize: () => size,
    report: (loss) => {
      if (loss > last) rises++;
      last = loss;
      const improved = loss > best;
      if (improved) best = loss;
      since++;
      if (since < period) return { improved, restart: false };
      const oscillating = rises <= minRising * period;
      const stalled = !halvedAtCheckpoint && bestAtCheckpoint >= best;
      halvedAtCheckpoint = oscillating || stalled;
      bestAtCheckpoint = best;
      since = 0;
      rises = 0;
      period = Math.max(period - shortening, minPeriod);
      if (halvedAtCheckpoint) size /= 2;
      return { improved, restart: halvedAtCheckpoint };
    },
  };
};
