/** A surface through scattered samples: the mean of the samples nearby, and nothing where there are none. */

/** Both coordinates are shares of their axes, from 0 to 1. */
export type Sample = { readonly x: number; readonly y: number; readonly value: number };

export type Surface = {
  readonly columns: number;
  readonly rows: number;
  /** [rows × columns], row 0 at y = 0; null where no sample is near. */
  readonly values: readonly (number | null)[];
};

/** The standard deviation of the Gaussian weights, as a share of an axis. */
export const bandwidth = 0.08;
/** Beyond this distance from every sample, the surface says nothing. */
export const reach = 0.16;

const smoothAt = (samples: readonly Sample[], x: number, y: number): number | null => {
  let [sum, weights, nearest] = [0, 0, Number.POSITIVE_INFINITY];
  for (const sample of samples) {
    const squared = (sample.x - x) ** 2 + (sample.y - y) ** 2;
    const weight = Math.exp(-squared / (2 * bandwidth ** 2));
    sum += weight * sample.value;
    weights += weight;
    nearest = Math.min(nearest, squared);
  }
  return nearest <= reach ** 2 ? sum / weights : null;
};

/** The values at the centres of the cells of a grid. */
export const surfaceOf = (samples: readonly Sample[], columns: number, rows: number): Surface => ({
  columns,
  rows,
  values: Array.from({ length: columns * rows }, (_, cell) =>
    smoothAt(samples, ((cell % columns) + 0.5) / columns, (Math.floor(cell / columns) + 0.5) / rows),
  ),
});

export type ShareAxis = {
  readonly low: number;
  readonly high: number;
  readonly scale: 'linear' | 'log';
  readonly shareOf: (value: number) => number;
  readonly valueAt: (share: number) => number;
};

/** The space beside the outermost values, as a share of the axis. */
const margin = 0.04;

/** An axis that has all values. `log` counts only where all of them are positive. */
export const shareAxisOf = (values: readonly number[], wanted: 'linear' | 'log'): ShareAxis => {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const scale = wanted === 'log' && least > 0 ? 'log' : 'linear';
  const [into, out] = scale === 'log' ? [Math.log, Math.exp] : [(v: number) => v, (v: number) => v];
  const span = into(greatest) - into(least) || 1;
  const [low, high] = [into(least) - margin * span, into(greatest) + margin * span];
  return {
    ...{ low: out(low), high: out(high), scale },
    shareOf: (value) => (into(value) - low) / (high - low),
    valueAt: (share) => out(low + share * (high - low)),
  };
};
