/**
 * Loads a trained classifier from its checkpoint, with its defence where it has one: a reformer, or detectors that reject images. Also
 * computes the thresholds of detectors.
 */
import * as tf from '@tensorflow/tfjs';
import { loadNetwork, type Stored } from './checkpoint.ts';
import { type Split, sliceSplit } from './datasets/split.ts';
import { outputShape } from './models/architecture.ts';
import type { Network } from './models/network.ts';

/** A trained classifier on the device. */
export type Classifier = {
  /** [batch, …shape] in [0, 1] → [batch, classes]. Differentiable. MagNet reforms the images first. */
  readonly logits: (images: tf.Tensor) => tf.Tensor2D;
  /** The frozen encoder, for attacks on its features: [batch, …shape] → [batch, …code]. */
  readonly encoder: (images: tf.Tensor) => tf.Tensor;
  /** The shape of one image. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** Only where the classifier also rejects images. */
  readonly defence?: {
    /** The classifier without its defence: [batch, …shape] → [batch, classes]. */
    readonly bare: (images: tf.Tensor) => tf.Tensor2D;
    /** [batch, …shape] → [batch]: 0 or greater where the image is rejected. Differentiable. */
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
  const reform = (images: tf.Tensor): tf.Tensor => (defence === null ? images : defence.reform(images));
  return {
    logits: (images) => bare(reform(images)),
    encoder: (images) => encoder.apply(reform(images)),
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

type Defence = {
  /** [batch, …shape] → [batch, …shape]: the classifier gets these images in place of the given ones. Differentiable. */
  readonly reform: (images: tf.Tensor) => tf.Tensor;
  /** [batch, …shape] → [batch]: 0 or greater where the image is rejected. Differentiable. */
  readonly suspicion: (images: tf.Tensor) => tf.Tensor1D;
  readonly dispose: () => void;
};

/** The names of the detectors' thresholds among a checkpoint's scalars. */
export const thresholdNames = {
  reformer: 'reformerThreshold',
  secondReformer: 'secondReformerThreshold',
  detector: 'detectorThreshold',
} as const;

/** Mean over the pixels of |x − AE(x)|ᵖ, a detector's score (Meng & Chen 2017, §4.2): [batch, …shape] → [batch]. */
const reconstructionError =
  (reformer: Network, power: 1 | 2) =>
  (images: tf.Tensor): tf.Tensor1D => {
    const error = tf.sub(images, reformer.apply(images)); // [batch, …shape]
    const powered = power === 2 ? tf.square(error) : tf.abs(error);
    return tf.mean(tf.reshape(powered, [images.shape[0]!, -1]), 1);
  };

/** MagNet's two scores for MNIST: squared errors of auto-encoder I, absolute errors of II. */
export const magnetScores = (reformer: Network, second: Network) =>
  [reconstructionError(reformer, 2), reconstructionError(second, 1)] as const;

/** The greater of score / threshold − 1: an image passes where both scores are below their thresholds. */
export const magnetSuspicion =
  (scores: ReturnType<typeof magnetScores>, thresholds: readonly [number, number]): Defence['suspicion'] =>
  (images) =>
    tf.sub(
      tf.maximum(tf.div(scores[0](images), thresholds[0]), tf.div(scores[1](images), thresholds[1])),
      1,
    ) as tf.Tensor1D;

const scalarOf = ({ manifest: { scalars } }: Stored, name: string): number => {
  const value = scalars[name];
  if (value === undefined)
    throw new Error(
      `Expected a checkpoint with the number ${name}, but it has ${Object.keys(scalars).join(', ') || 'none'}`,
    );
  return value;
};

const loadMagnet = (checkpoint: Stored): Defence => {
  const [reformer, second] = [
    loadNetwork(checkpoint, 'reformer'),
    loadNetwork(checkpoint, 'second-reformer'),
  ];
  const thresholds = [
    scalarOf(checkpoint, thresholdNames.reformer),
    scalarOf(checkpoint, thresholdNames.secondReformer),
  ] as const;
  return {
    reform: reformer.apply,
    suspicion: magnetSuspicion(magnetScores(reformer, second), thresholds),
    dispose: () => {
      reformer.dispose();
      second.dispose();
    },
  };
};

const loadDetector = (checkpoint: Stored): Defence => {
  const network = loadNetwork(checkpoint, 'detector'); // [batch, …shape] → [batch, 1], the logit of "perturbed"
  const threshold = scalarOf(checkpoint, thresholdNames.detector);
  return {
    reform: (images) => images,
    suspicion: (images) => tf.sub(tf.reshape(network.apply(images), [-1]), threshold) as tf.Tensor1D,
    dispose: network.dispose,
  };
};

/** The loader of each defence. Its key is the name of a network that only checkpoints with this defence have. */
const defences: Readonly<Record<string, (checkpoint: Stored) => Defence>> = {
  reformer: loadMagnet,
  detector: loadDetector,
};

/** The defence of a checkpoint, or null where it has none. Throws where a part of it is missing. */
const loadDefence = (checkpoint: Stored): Defence | null => {
  const name = Object.keys(defences).find((network) => checkpoint.manifest.networks[network] !== undefined);
  return name === undefined ? null : defences[name]!(checkpoint);
};

/** One image in twelve is held out: 5,000 of MNIST's 60,000, as in MagNet. */
const heldOutShare = 12;

/** The first twelfth of the training images (at least one), on which thresholds are set, and the rest, on which a recipe trains. */
export const holdOut = (train: Split): { readonly heldOut: Split; readonly rest: Split } => {
  const count = Math.ceil(train.count / heldOutShare);
  return { heldOut: sliceSplit(train, 0, count), rest: sliceSplit(train, count) };
};

/**
 * The threshold at which the share `rate` of clean images is rejected: the k-th greatest of their `scores`, k = ⌊n · rate⌋ (MagNet,
 * `get_thrs`). Scores at or above the threshold are rejected. Where k is 0, the threshold lies just above the greatest score.
 */
export const thresholdOf = (scores: Float32Array, rate: number): number => {
  const sorted = Float32Array.from(scores).sort();
  const rejected = Math.floor(sorted.length * rate);
  const greatest = sorted.at(-1)!;
  return rejected === 0 ? greatest + 2 ** -20 * (1 + Math.abs(greatest)) : sorted.at(-rejected)!;
};

/**
 * The area under the ROC curve: the chance that a value of `positives` is greater than a value of `negatives`; a tie counts half (Mann &
 * Whitney 1947).
 */
export const areaUnderCurve = (negatives: Float32Array, positives: Float32Array): number => {
  const sorted = Float32Array.from(negatives).sort();
  /** How many negatives are below `value`, or, with `orEqual`, not above it. */
  const countBelow = (value: number, orEqual: boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = positives.reduce(
    (sum, value) => sum + (countBelow(value, false) + countBelow(value, true)) / 2,
    0,
  );
  return wins / (negatives.length * positives.length);
};
