import type * as tf from '@tensorflow/tfjs';
import { loadNetwork, type Stored } from './checkpoint.ts';
import { outputShape } from './models/architecture.ts';

/** A trained classifier on the device. */
export type Classifier = {
  /** [batch, …shape] in [0, 1] → [batch, classes]; differentiable in the images. */
  readonly logits: (images: tf.Tensor) => tf.Tensor2D;
  /** [batch, …shape] → [batch, …code]: the frozen encoder, for attacks on its features. */
  readonly encoder: (images: tf.Tensor) => tf.Tensor;
  /** One image. */
  readonly shape: readonly number[];
  readonly classes: number;
  readonly dispose: () => void;
};

/** The classifier of a *classify* checkpoint. Throws when the checkpoint is of another kind of stage. */
export const loadClassifier = (checkpoint: Stored): Classifier => {
  const [classifier, encoder] = [
    loadNetwork(checkpoint, 'classifier'),
    loadNetwork(checkpoint, 'defender-encoder'),
  ];
  return {
    logits: (images) => classifier.apply(images) as tf.Tensor2D, // its last layer is dense
    encoder: encoder.apply,
    shape: classifier.architecture.input,
    classes: outputShape(classifier.architecture)[0]!,
    dispose: () => {
      classifier.dispose();
      encoder.dispose();
    },
  };
};
