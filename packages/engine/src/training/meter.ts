/** Means over an epoch, gathered without waiting for the device at every step. */
import type { TrainingMetricName } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';

export type Measured = Readonly<Partial<Record<TrainingMetricName, tf.Tensor>>>;

/** Metrics that count steps alike; all others are means over images, so that a short last batch weighs what it holds. */
const perStep: ReadonlySet<string> = new Set<TrainingMetricName>(['hingeActive']);

export type Meter = {
  /** Takes over one step's scalars. */
  readonly add: (measured: Measured, step: number, images: number) => void;
  /** Scalars taken but not looked at yet. */
  readonly pending: () => number;
  /** Looks at them. Answers the first that is not finite, or null. */
  readonly flush: () => Promise<{
    readonly name: string;
    readonly value: number;
    readonly step: number;
  } | null>;
  /** Sums so far: what a checkpoint in mid-epoch keeps. */
  readonly sums: () => Readonly<Record<string, number>>;
  /** Means over `images` and `steps`; then starts anew. */
  readonly finish: (images: number, steps: number) => Record<string, number>;
  readonly dispose: () => void;
};

type Entry = {
  readonly name: string;
  readonly tensor: tf.Tensor;
  readonly step: number;
  readonly weight: number;
};

/** Sums are kept in double precision on the host, in the order of the steps: when they are looked at does not change them. */
export const createMeter = (sums: Readonly<Record<string, number>> = {}): Meter => {
  let total: Record<string, number> = { ...sums };
  let entries: Entry[] = [];
  return {
    add: (measured, step, images) => {
      for (const [name, tensor] of Object.entries(measured))
        entries.push({ name, tensor, step, weight: perStep.has(name) ? 1 : images });
    },
    pending: () => entries.length,
    flush: async () => {
      const taken = entries;
      entries = [];
      if (taken.length === 0) return null;
      const stacked = tf.tidy(() => tf.stack(taken.map((entry) => entry.tensor)));
      const values = await stacked.data<'float32'>();
      tf.dispose([stacked, ...taken.map((entry) => entry.tensor)]);
      for (const [i, { name, step, weight }] of taken.entries()) {
        const value = values[i]!;
        if (!Number.isFinite(value)) return { name, value, step };
        total[name] = (total[name] ?? 0) + value * weight;
      }
      return null;
    },
    sums: () => ({ ...total }),
    finish: (images, steps) => {
      const means = Object.fromEntries(
        Object.entries(total).map(([name, sum]) => [name, sum / (perStep.has(name) ? steps : images)]),
      );
      total = {};
      return means;
    },
    dispose: () => tf.dispose(entries.map((entry) => entry.tensor)),
  };
};
