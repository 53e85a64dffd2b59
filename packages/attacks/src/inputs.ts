/** What is asked of images, labels and logits before an attack is believed. All errors are ATTACK_INPUT. */
import { AppError } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { areProbabilities, type ClassifierModel } from './model.ts';

const fault = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

/** The images as rows in [0, 1], `[n, width]`: a new tensor. */
export const checkImages = async (
  images: tf.Tensor | Float32Array,
  model: ClassifierModel,
): Promise<tf.Tensor2D> => {
  const [low, high] = model.bounds;
  const width = model.shape.reduce((product, size) => product * size, 1);
  if (images instanceof tf.Tensor) {
    if (JSON.stringify(images.shape.slice(1)) !== JSON.stringify(model.shape))
      fault(`Expected images of shape [n, ${model.shape.join(', ')}], but got [${images.shape.join(', ')}]`);
  } else if (images.length % width !== 0) {
    fault(
      `Expected a multiple of ${width} values for images of shape [${model.shape.join(', ')}], but got ${images.length}`,
    );
  }
  const values = images instanceof tf.Tensor ? await images.data<'float32'>() : images;
  const stray = values.findIndex((value) => !(value >= low && value <= high));
  if (stray >= 0)
    fault(
      `Expected pixels in [${low}, ${high}], but got ${values[stray]} in image ${Math.floor(stray / width)}: scale the images, or give \`bounds\``,
    );
  return tf.tensor2d(
    Float32Array.from(values, (value) => (value - low) / (high - low)),
    [values.length / width, width],
  );
};

export const checkLabels = (labels: ArrayLike<number>, images: number, classes: number): Int32Array => {
  if (labels.length !== images)
    fault(`Expected one label per image, but got ${labels.length} for ${images} images`);
  for (let i = 0; i < images; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      fault(`Expected labels from 0 to ${classes - 1}, but got ${label} for image ${i}`);
  }
  return Int32Array.from(labels);
};

/** Clean outputs must be finite, and logits, not probabilities (H12). */
export const checkLogits = (logits: Float32Array, classes: number): void => {
  const stray = logits.findIndex((value) => !Number.isFinite(value));
  if (stray >= 0)
    fault(`Expected finite logits, but got ${logits[stray]} for image ${Math.floor(stray / classes)}`);
  if (areProbabilities(logits, classes))
    fault(
      'Expected logits, but got probabilities (every row lies in [0, 1] and sums to 1): give the model without its last softmax',
    );
};
