/** What recipes share that train encoder and classifier together on labelled images, without an auto-encoder under them. */
import * as tf from '@tensorflow/tfjs';
import type { Adam } from '../adam.ts';
import { breathe } from '../breathe.ts';
import { range } from '../codes.ts';
import { gatherImages, type Split } from '../datasets/split.ts';
import { joined } from '../models/architecture.ts';
import { classifierHead, encoder, parseFilters } from '../models/auto-encoder.ts';
import { type Network, networkOver } from '../models/network.ts';
import type { Batch, Setup } from '../stage.ts';

type Sizes = {
  readonly filters: string;
  readonly latent: number;
  readonly classifierUnits: number;
  readonly classifierRate: number;
};

/** The defender's encoder and the classifier on it, from fresh weights or the chain's own, and the optimiser over both. */
export const classifierOf = ({
  knobs,
  image,
  classes,
  network,
  player,
}: Pick<Setup<Sizes>, 'knobs' | 'image' | 'classes' | 'network' | 'player'>): {
  readonly classifier: Network;
  readonly networks: Readonly<Record<string, Network>>;
  readonly learner: Adam;
} => {
  const E = network(
    'defender-encoder',
    encoder(image, { filters: parseFilters(knobs.filters), latent: knobs.latent }),
  );
  const head = network('head', classifierHead(E.architecture, knobs.classifierUnits, classes));
  const classifier = networkOver(joined(E.architecture, head.architecture), [...E.weights, ...head.weights]);
  const learner = player('classifier', [E, head], knobs.classifierRate);
  return { classifier, networks: { 'defender-encoder': E, head, classifier }, learner };
};

/** Labels of a batch, [batch], and the same as rows with a one, [batch, classes]. */
export const targetsOf = (
  { labels }: Split,
  { rows }: Batch,
  classes: number,
): { readonly labels: tf.Tensor1D; readonly oneHot: tf.Tensor2D } => {
  const own = tf.tensor1d(
    Int32Array.from(rows, (row) => labels[row]!),
    'int32',
  );
  return { labels: own, oneHot: tf.oneHot(own, classes).toFloat() as tf.Tensor2D };
};

/** Share of a batch whose greatest logit is the label's: [batch, classes] × [batch] → []. */
export const accuracyOf = (logits: tf.Tensor, labels: tf.Tensor1D): tf.Scalar =>
  tf.mean(tf.equal(tf.argMax(logits, 1), labels).toFloat());

/** Images looked at in one pass where nothing is learned. */
const chunk = 500;

/** What `perImage` gives for every image of a split, in order. `perImage`: images [n, …shape] → [n]; runs inside a tidy. */
export const eachImage = async (
  split: Split,
  perImage: (images: tf.Tensor, rows: Uint32Array) => tf.Tensor,
): Promise<Float32Array> => {
  const values = new Float32Array(split.count);
  for (let from = 0; from < split.count; from += chunk) {
    const rows = range(from, Math.min(from + chunk, split.count));
    const part = tf.tidy(() =>
      perImage(tf.tensor(gatherImages(split, rows), [rows.length, ...split.shape]), rows),
    );
    values.set(await part.data(), from);
    part.dispose();
    await breathe();
  }
  return values;
};

/** 1 for every image of a split that is classified right, else 0. */
export const rightOf = async (
  logits: (images: tf.Tensor) => tf.Tensor,
  split: Split,
): Promise<Float32Array> => {
  const predicted = await eachImage(split, (images) => tf.argMax(logits(images), 1));
  return predicted.map((label, i) => Number(label === split.labels[i]));
};

/** Share of ones. */
export const shareOf = (marks: Float32Array): number => marks.reduce((a, b) => a + b, 0) / marks.length;

/** Share of the images of a split that are classified right. */
export const cleanAccuracyOf = async (
  logits: (images: tf.Tensor) => tf.Tensor,
  split: Split,
): Promise<number> => shareOf(await rightOf(logits, split));
