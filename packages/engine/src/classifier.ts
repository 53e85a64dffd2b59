import * as tf from '@tensorflow/tfjs';
import { loadNetwork, type Stored } from './checkpoint.ts';
import { between, type Split } from './datasets/split.ts';
import { outputShape } from './models/architecture.ts';
import type { Network } from './models/network.ts';

/** Where a detector draws its line, from what it says of clean images that nothing was trained on. */

/** One in twelve is held out: 5,000 of MNIST's 60,000, as MagNet does. The first ones, and at least one. */
const share = 12;

/** The training images that thresholds are set on, and those that are left to train on. */
export const holdOut = (train: Split): { readonly held: Split; readonly rest: Split } => {
  const count = Math.ceil(train.count / share);
  return { held: between(train, 0, count), rest: between(train, count) };
};

/**
 * The value at or above which a clean image is rejected: the k-th greatest of `marks`, k = ⌊n · rate⌋ (MagNet, `get_thrs`). Where k is 0
 * none of them is to be rejected, and it lies just above the greatest.
 */
export const thresholdOf = (marks: Float32Array, rate: number): number => {
  const sorted = Float32Array.from(marks).sort();
  const rejected = Math.floor(sorted.length * rate);
  const greatest = sorted.at(-1)!;
  return rejected === 0 ? greatest + 2 ** -20 * (1 + Math.abs(greatest)) : sorted.at(-rejected)!;
};

/** Chance that a value of `positives` is above one of `negatives`, ties counting half: the area under the ROC curve (Mann & Whitney). */
export const areaUnderCurve = (negatives: Float32Array, positives: Float32Array): number => {
  const sorted = Float32Array.from(negatives).sort();
  /** How many of them are below `value`; with `orEqual`, not above it. */
  const below = (value: number, orEqual: boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = positives.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0);
  return wins / (negatives.length * positives.length);
};

/** What stands between images and a classifier, where its checkpoint holds more than that: a reformer, detectors. */

type Defence = {
  /** What the classifier is shown instead of the images: [batch, …shape] → the same. Differentiable. */
  readonly reform: (images: tf.Tensor) => tf.Tensor;
  /** [batch, …shape] → [batch]: not below 0 where the image is rejected. Differentiable. */
  readonly suspicion: (images: tf.Tensor) => tf.Tensor1D;
  readonly dispose: () => void;
};

/** Where the detectors' thresholds stand among a checkpoint's scalars. */
export const thresholdNames = {
  reformer: 'reformerThreshold',
  secondReformer: 'secondReformerThreshold',
  detector: 'detectorThreshold',
} as const;

/** Mean over the pixels of |x − AE(x)|ᵖ, a detector's mark (Meng & Chen 2017, §4.2): [batch, …shape] → [batch]. */
const markOf =
  (reformer: Network, power: 1 | 2) =>
  (images: tf.Tensor): tf.Tensor1D => {
    const error = tf.sub(images, reformer.apply(images));
    const powered = power === 2 ? tf.square(error) : tf.abs(error);
    return tf.mean(tf.reshape(powered, [images.shape[0]!, -1]), 1);
  };

/** MagNet's two marks for MNIST: squares for I, absolute values for II. */
export const marksOf = (reformer: Network, second: Network) =>
  [markOf(reformer, 2), markOf(second, 1)] as const;

/** The greater of mark / threshold − 1: an image passes where all marks are below their thresholds. */
export const magnetSuspicion =
  (marks: ReturnType<typeof marksOf>, thresholds: readonly [number, number]): Defence['suspicion'] =>
  (images) =>
    tf.sub(
      tf.maximum(tf.div(marks[0](images), thresholds[0]), tf.div(marks[1](images), thresholds[1])),
      1,
    ) as tf.Tensor1D;

const scalar = ({ manifest: { scalars } }: Stored, name: string): number => {
  const value = scalars[name];
  if (value === undefined)
    throw new Error(
      `Expected a checkpoint with the number ${name}, but it has ${Object.keys(scalars).join(', ') || 'none'}`,
    );
  return value;
};

const magnet = (checkpoint: Stored): Defence => {
  const [reformer, second] = [
    loadNetwork(checkpoint, 'reformer'),
    loadNetwork(checkpoint, 'second-reformer'),
  ];
  const thresholds = [
    scalar(checkpoint, thresholdNames.reformer),
    scalar(checkpoint, thresholdNames.secondReformer),
  ] as const;
  return {
    reform: reformer.apply,
    suspicion: magnetSuspicion(marksOf(reformer, second), thresholds),
    dispose: () => {
      reformer.dispose();
      second.dispose();
    },
  };
};

const detector = (checkpoint: Stored): Defence => {
  const network = loadNetwork(checkpoint, 'detector'); // image → one logit: perturbed
  const threshold = scalar(checkpoint, thresholdNames.detector);
  return {
    reform: (images) => images,
    suspicion: (images) => tf.sub(tf.reshape(network.apply(images), [-1]), threshold) as tf.Tensor1D,
    dispose: network.dispose,
  };
};

/** By the network that only this defence has. */
const defences: Readonly<Record<string, (checkpoint: Stored) => Defence>> = { reformer: magnet, detector };

/** Null for a classifier that answers every image as it is. Throws where a part is missing. */
export const loadDefence = (checkpoint: Stored): Defence | null => {
  const name = Object.keys(defences).find((network) => checkpoint.manifest.networks[network] !== undefined);
  return name === undefined ? null : defences[name]!(checkpoint);
};

/** A trained classifier on the device, behind its defence where it has one. */
export type Classifier = {
  /** [batch, …shape] in [0, 1] → [batch, classes]; differentiable in the images. Of MagNet: of the images as it reforms them. */
  readonly logits: (images: tf.Tensor) => tf.Tensor2D;
  /** [batch, …shape] → [batch, …code]: the frozen encoder, for attacks on its features. */
  readonly encoder: (images: tf.Tensor) => tf.Tensor;
  /** One image. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** Where it also rejects images. */
  readonly defence?: {
    /** The classifier by itself: [batch, …shape] → [batch, classes]. */
    readonly bare: (images: tf.Tensor) => tf.Tensor2D;
    /** [batch, …shape] → [batch]: not below 0 where the image is rejected. Differentiable. */
    readonly suspicion: (images: tf.Tensor) => tf.Tensor1D;
  };
  readonly dispose: () => void;
};

/** The classifier of a *classify* checkpoint. Throws when the checkpoint is of another kind of stage. */
export const loadClassifier = (checkpoint: Stored): Classifier => {
  const [classifier, encoder] = [
    loadNetwork(checkpoint, 'classifier'),
    loadNetwork(checkpoint, 'defender-encoder'),
  ];
  const defence = loadDefence(checkpoint);
  const bare = (images: tf.Tensor) => classifier.apply(images) as tf.Tensor2D; // its last layer is dense
  const seen = (images: tf.Tensor): tf.Tensor => (defence === null ? images : defence.reform(images));
  return {
    logits: (images) => bare(seen(images)),
    encoder: (images) => encoder.apply(seen(images)),
    ...(defence && { defence: { bare, suspicion: defence.suspicion } }),
    shape: classifier.architecture.input,
    classes: outputShape(classifier.architecture)[0]!,
    dispose: () => {
      classifier.dispose();
      encoder.dispose();
      defence?.dispose();
    },
  };
};
