/** What stands between images and a classifier, where its checkpoint holds more than that: a reformer, detectors. */
import * as tf from '@tensorflow/tfjs';
import { loadNetwork, type Stored } from './checkpoint.ts';
import type { Network } from './models/network.ts';

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
