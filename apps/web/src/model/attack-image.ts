/** FGSM and PGD on one image, fast enough to follow a slider. The full attacks with their checks run on the workers. */

import { classOf, noClass } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { BrowserModel } from './load-model.ts';

export type AttackChoice = {
  readonly norm: 'linf' | 'l2';
  /** Radius: largest change of a pixel (L∞), or the L2 norm of all changes. */
  readonly epsilon: number;
  /** 1 is FGSM (Goodfellow et al. 2015), more is PGD (Madry et al. 2018) without a random start. */
  readonly steps: number;
};

type Logits = (images: tf.Tensor4D) => tf.Tensor2D;

/** L2 norm over all values. */
const normOf = (x: tf.Tensor4D): tf.Scalar => tf.sqrt(tf.sum(tf.square(x)));

/** A step of length `size` along the steepest ascent in the norm. */
const ascend = (gradient: tf.Tensor4D, norm: AttackChoice['norm'], size: number): tf.Tensor4D =>
  norm === 'linf'
    ? tf.mul(tf.sign(gradient), size)
    : tf.mul(tf.div(gradient, tf.maximum(normOf(gradient), 1e-12)), size);

/** The change projected into the ball of radius ε. */
const project = (change: tf.Tensor4D, { norm, epsilon }: AttackChoice): tf.Tensor4D => {
  if (norm === 'linf') return tf.clipByValue(change, -epsilon, epsilon);
  const size = normOf(change);
  return tf.mul(change, tf.minimum(1, tf.div(epsilon, tf.maximum(size, 1e-12))));
};

/**
 * Moves an image [1, height, width, channels] in [0, 1] away from class `label`, by at most ε: gradient ascent on the cross-entropy
 * of the logits, in steps of 2.5 ε / steps (one step: ε). Returns the image after the last step.
 */
export const attackImage = (
  logits: Logits,
  image: tf.Tensor4D,
  label: number,
  choice: AttackChoice,
): tf.Tensor4D =>
  tf.tidy(() => {
    const { epsilon, steps, norm } = choice;
    if (epsilon === 0) return image.clone();
    const classes = logits(image).shape[1];
    const target = tf.oneHot(tf.tensor1d([label], 'int32'), classes).toFloat() as tf.Tensor2D; // one row per image
    const loss = (x: tf.Tensor) => tf.losses.softmaxCrossEntropy(target, logits(x as tf.Tensor4D)).asScalar();
    const gradient = tf.grad(loss);
    const size = steps === 1 ? epsilon : (2.5 * epsilon) / steps;
    let attacked = image;
    for (let step = 0; step < steps; step++) {
      const moved = tf.add(attacked, ascend(gradient(attacked) as tf.Tensor4D, norm, size)) as tf.Tensor4D;
      const change = project(tf.sub(moved, image) as tf.Tensor4D, choice);
      attacked = tf.clipByValue(tf.add(image, change), 0, 1) as tf.Tensor4D;
    }
    return attacked.clone();
  });

/** One image and the model's answer to it. */
export type Answer = {
  readonly pixels: Float32Array;
  /** Softmax of the logits, one value per class. */
  readonly probabilities: Float32Array;
  /** The predicted class; `noClass` where the logits are not finite. */
  readonly label: number;
  readonly reconstruction: Float32Array | null;
};

export type Tried = { readonly clean: Answer; readonly attacked: Answer };

const classify = async (model: BrowserModel, image: tf.Tensor4D): Promise<Answer> => {
  const logits = model.logits(image);
  const probabilities = tf.tidy(() => tf.softmax(logits));
  const { reconstruct } = model;
  const rebuilt = reconstruct === null ? null : tf.tidy(() => reconstruct(image));
  const [answer, shares, pixels, reconstruction] = await Promise.all([
    logits.data<'float32'>(),
    probabilities.data<'float32'>(),
    image.data<'float32'>(),
    rebuilt?.data<'float32'>() ?? null,
  ]);
  tf.dispose([logits, probabilities, ...(rebuilt ? [rebuilt] : [])]);
  return {
    pixels: Float32Array.from(pixels),
    probabilities: Float32Array.from(shares),
    label: classOf(answer),
    reconstruction,
  };
};

/** Classifies an image, attacks it away from its predicted class, and classifies the result. An image without a class is not attacked. */
export const tryAttack = async (
  model: BrowserModel,
  pixels: Float32Array,
  shape: readonly [number, number, number],
  choice: AttackChoice,
): Promise<Tried> => {
  const image = tf.tensor4d(pixels, [1, ...shape]);
  const clean = await classify(model, image);
  const moved =
    clean.label === noClass ? image.clone() : attackImage(model.logits, image, clean.label, choice);
  const attacked = await classify(model, moved);
  tf.dispose([image, moved]);
  return { clean, attacked };
};
