/** An auto-encoder that answers (nearly) the same whatever it is shown has collapsed: what is built on it must not be scored. */
import * as tf from '@tensorflow/tfjs';
import { loadNetwork, type Stored } from '../checkpoint.ts';
import { imagesAt, range } from '../datasets/rows.ts';
import type { Split } from '../datasets/split.ts';
import { noiseShape, withNoise } from '../models/attacker.ts';

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
