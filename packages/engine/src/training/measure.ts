import type { TrainingMetricName } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { imagesAt, range } from '../batches.ts';
import { loadNetwork, type Stored } from '../checkpoint.ts';
import type { Split } from '../datasets/split.ts';
import { noiseShape, withNoise } from '../models/auto-encoders.ts';

/** What recipes measure: of a batch, and image by image of a whole split. */

/**
 * Share of a batch whose greatest logit is the label's: [batch, classes] × [batch] → []. A row that is not finite throughout counts as
 * wrong; its loss ends the training.
 */
export const accuracyOf = (logits: tf.Tensor, labels: tf.Tensor1D): tf.Scalar => {
  const finite = tf.isFinite(tf.sum(logits, 1));
  return tf.mean(tf.logicalAnd(tf.equal(tf.argMax(logits, 1), labels), finite).toFloat());
};

/** Means over an epoch, gathered without waiting for the device at every step. */

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

/** An auto-encoder that answers (nearly) the same whatever it is shown has collapsed: what is built on it must not be scored. */

/** Images that the check looks at. */
const sample = 256;

/**
 * Below this share of the images' own variance the outputs count as one and the same picture. Networks that have hardly been trained
 * vary 1e-5 to 1e-2 times as much, dead ones less than 1e-10, ones that paint the mean image 1e-3, working ones 0.5 and more. So what
 * has not had a fair number of updates is only held to be alive.
 */
const minSpread = (updates: number): number => (updates < 200 ? 1e-6 : 1e-2);

/** Variance over the images of each pixel, summed over the pixels. [n, …] → number */
const spreadOf = async (images: tf.Tensor): Promise<number> => {
  const spread = tf.tidy(() => {
    const flat = tf.reshape(images, [images.shape[0]!, -1]);
    return tf.sum(tf.mean(tf.square(tf.sub(flat, tf.mean(flat, 0, true))), 0));
  });
  const [value] = await spread.data();
  spread.dispose();
  return value!;
};

/** Att (with u = 0) or Def of a checkpoint: the networks `name-encoder` and `name-generator` one after the other. */
const rebuild = (checkpoint: Stored, name: string, images: tf.Tensor): tf.Tensor => {
  const [encoder, generator] = [
    loadNetwork(checkpoint, `${name}-encoder`),
    loadNetwork(checkpoint, `${name}-generator`),
  ];
  try {
    return tf.tidy(() => {
      const quiet = tf.zeros([images.shape[0]!, ...noiseShape(encoder, generator)]);
      return generator.apply(withNoise(encoder.apply(images), quiet));
    });
  } finally {
    encoder.dispose();
    generator.dispose();
  }
};

/**
 * What is wrong with the first of the auto-encoders `names` that ignores its input, with numbers; null where none does. `updates`: how
 * many the stage that made them did.
 */
export const findCollapse = async (
  checkpoint: Stored,
  names: readonly string[],
  split: Split,
  updates: number,
): Promise<string | null> => {
  const rows = range(0, Math.min(sample, split.count));
  if (names.length === 0 || rows.length < 2) return null; // one image has no spread to compare with
  const images = imagesAt(split, rows);
  const least = minSpread(updates);
  try {
    const spread = await spreadOf(images);
    for (const name of names) {
      const rebuilt = rebuild(checkpoint, name, images);
      const share = (await spreadOf(rebuilt)) / spread;
      rebuilt.dispose();
      if (!(share >= least))
        return `The ${name} ignores its input: over ${rows.length} images its output varies ${share.toExponential(1)} times as much as they do (expected at least ${least.toExponential(0)} after ${updates} updates). Another seed, initializer or rate may help.`;
    }
    return null;
  } finally {
    images.dispose();
  }
};
