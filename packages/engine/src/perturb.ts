/** The attack inside adversarial training: projected gradient ascent in an L∞ ball (Madry et al. 2018, §2.1). */
import * as tf from '@tensorflow/tfjs';

type Perturbation = {
  /** Radius of the ball, in units of the pixel range [0, 1]. */
  readonly epsilon: number;
  readonly steps: number;
  /** The length of all steps together, in units of ε. */
  readonly pathLength: number;
};

/**
 * Ascends `loss` (such as a mean over the batch): `steps` steps of x′ ← Π(x′ + α·sign ∇loss(x′)) from `start`, α = pathLength·ε / steps. Π is
 * the projection on the ball around `images` and on [0, 1]. [batch, …shape] → the same. Call it inside a tidy.
 */
export const perturb = (
  images: tf.Tensor,
  start: tf.Tensor,
  attack: Perturbation,
  loss: (images: tf.Tensor) => tf.Scalar,
): tf.Tensor => perturbAlong(images, start, attack, signOfGradient(loss));

/** sign ∇loss as a function of the images: [batch, …shape] → the same. */
export const signOfGradient = (loss: (images: tf.Tensor) => tf.Scalar) => {
  const gradient = tf.grad((x) => loss(x));
  return (images: tf.Tensor): tf.Tensor => tf.sign(gradient(images));
};

/** Like `perturb`, along any `direction` with values in [−1, 1]. */
export const perturbAlong = (
  images: tf.Tensor,
  start: tf.Tensor,
  { epsilon, steps, pathLength }: Perturbation,
  direction: (images: tf.Tensor) => tf.Tensor,
): tf.Tensor => {
  const low = tf.maximum(tf.sub(images, epsilon), 0);
  const high = tf.minimum(tf.add(images, epsilon), 1);
  const project = (x: tf.Tensor): tf.Tensor => tf.minimum(tf.maximum(x, low), high);
  let x = project(start);
  for (let step = 0; step < steps; step++) {
    const next = tf.tidy(() => project(tf.add(x, tf.mul(direction(x), (pathLength * epsilon) / steps))));
    x.dispose();
    x = next;
  }
  return x;
};

/** ε at an update (counted from 1). It grows linearly over `warmup` updates; without a warm-up, networks may fail to learn at all. */
export const warmedUpEpsilon = (epsilon: number, update: number, warmup: number): number =>
  epsilon * Math.min(1, update / Math.max(warmup, 1));
