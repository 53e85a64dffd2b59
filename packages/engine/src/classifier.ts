import type * as tf from '@tensorflow/tfjs';
import { loadNetwork, type Stored } from './checkpoint.ts';
import { loadDefence } from './defences.ts';
import { outputShape } from './models/architecture.ts';

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
