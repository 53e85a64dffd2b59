/** Measures training: the accuracy of a batch, means over an epoch, and whether an auto-encoder has collapsed. */
import type { TrainingMetricName } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { imagesAt } from '../batches.ts';
import { loadNetwork, type Stored } from '../checkpoint.ts';
import { range, type Split } from '../datasets/split.ts';
import { noiseShape, withNoise } from '../models/auto-encoders.ts';
import type { BatchMetrics } from './stage.ts';

/**
 * The share of a batch whose greatest logit is that of the label: [batch, classes] × [batch] → []. A row with a value that is not finite
 * counts as wrong; its loss ends the training.
 */
export const accuracyOf = (logits: tf.Tensor, labels: tf.Tensor1D): tf.Scalar => {
  const finite = tf.isFinite(tf.sum(logits, 1)); // [batch]
  return tf.mean(tf.logicalAnd(tf.equal(tf.argMax(logits, 1), labels), finite).toFloat());
};

/** Metrics that are means over steps. All others are means over images, so that a short last batch weighs less. */
const perStep: ReadonlySet<string> = new Set<TrainingMetricName>(['hingeActive']);

/** Means of metrics over an epoch. It collects scalars on the device and reads many at once, so that no step waits for the device. */
export type Meter = {
  /** Takes the scalars of one step and later disposes of them. */
  readonly add: (metrics: BatchMetrics, step: number, images: number) => void;
  /** How many scalars wait to be read. */
  readonly pending: () => number;
  /** Reads the waiting scalars. Answers the first that is not finite, or null. */
  readonly flush: () => Promise<{
    readonly name: string;
    readonly value: number;
    readonly step: number;
  } | null>;
  /** The sums so far. A checkpoint in the middle of an epoch stores them. */
  readonly sums: () => Readonly<Record<string, number>>;
  /** The means over `images` and `steps`. Clears the sums. */
  readonly finish: (images: number, steps: number) => Record<string, number>;
  readonly dispose: () => void;
};

type Entry = {
  readonly name: string;
  readonly tensor: tf.Tensor;
  readonly step: number;
  readonly weight: number;
};

/** The host adds in double precision and in the order of the steps, so the sums do not depend on when it reads the scalars. */
export const createMeter = (sums: Readonly<Record<string, number>> = {}): Meter => {
  let total: Record<string, number> = { ...sums };
  let entries: Entry[] = [];
  return {
    add: (metrics, step, images) => {
      for (const [name, tensor] of Object.entries(metrics))
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

/** Images on which the check for collapse runs. */
const sampleSize = 256;

/**
 * An auto-encoder has collapsed where the variance of its outputs is below this share of the variance of the images. Measured shares: 1e-5
 * to 1e-2 in networks with hardly any training, below 1e-10 in dead ones, 1e-3 in networks that always give the mean image, 0.5 and more
 * in working ones. So the limit is strict only after 200 updates.
 */
const minShare = (updates: number): number => (updates < 200 ? 1e-6 : 1e-2);

/** The variance of each pixel over the images, summed over the pixels: [n, …] → number. */
const varianceOf = async (images: tf.Tensor): Promise<number> => {
  const variance = tf.tidy(() => {
    const flat = tf.reshape(images, [images.shape[0]!, -1]); // [n, pixels]
    return tf.sum(tf.mean(tf.square(tf.sub(flat, tf.mean(flat, 0, true))), 0));
  });
  const [value] = await variance.data();
  variance.dispose();
  return value!;
};

/** Att (with u = 0) or Def of a checkpoint: the networks `name-encoder` and `name-generator`, one after the other. [n, …shape] → the same. */
const rebuild = (checkpoint: Stored, name: string, images: tf.Tensor): tf.Tensor => {
  const [encoder, generator] = [
    loadNetwork(checkpoint, `${name}-encoder`),
    loadNetwork(checkpoint, `${name}-generator`),
  ];
  try {
    return tf.tidy(() => {
      const noNoise = tf.zeros([images.shape[0]!, ...noiseShape(encoder, generator)]);
      return generator.apply(withNoise(encoder.apply(images), noNoise));
    });
  } finally {
    encoder.dispose();
    generator.dispose();
  }
};

/**
 * An error text for the first auto-encoder of `names` that ignores its input, or null where none does. Later stages must not use such an
 * auto-encoder. `updates`: the number of updates of the stage that made these networks.
 */
export const findCollapse = async (
  checkpoint: Stored,
  names: readonly string[],
  split: Split,
  updates: number,
): Promise<string | null> => {
  const indices = range(0, Math.min(sampleSize, split.count));
  if (names.length === 0 || indices.length < 2) return null; // one image has no variance to compare with
  const images = imagesAt(split, indices); // [n, …shape]
  const min = minShare(updates);
  try {
    const variance = await varianceOf(images);
    for (const name of names) {
      const rebuilt = rebuild(checkpoint, name, images);
      const share = (await varianceOf(rebuilt)) / variance;
      rebuilt.dispose();
      if (!(share >= min))
        return `The ${name} ignores its input: over ${indices.length} images, the variance of its output is ${share.toExponential(1)} times the variance of the images (expected at least ${min.toExponential(0)} after ${updates} updates). Another seed, initializer or rate may help.`;
    }
    return null;
  } finally {
    images.dispose();
  }
};
