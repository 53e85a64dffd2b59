/**
 * FGSM and the Gradient attack: one gradient, then steps of growing size along it.
 * Foolbox 1.8 `GradientSignAttack`, `GradientAttack` (`foolbox/attacks/gradient.py`).
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { crossEntropy } from '../losses.ts';
import { signs } from '../norms.ts';
import { oneHot } from '../rows.ts';
import { gridOf } from './grid.ts';
import { searchAlong } from './search-along.ts';

/** sign(∂CE/∂x) at the images: `[n, width]`. */
const lossGradient = ({ model, images, labels }: AttackContext): tf.Tensor2D =>
  tf.tidy(() => model.gradient(images, crossEntropy(oneHot(labels, model.classes))).gradient);

export const fgsm: Attack<'fgsm'> = async (context, settings) => {
  const directions = tf.tidy(() => signs(lossGradient(context)));
  if (settings.search) return searchAlong(context, directions, gridOf(settings));
  const adversarials: tf.Tensor2D = tf.tidy(() =>
    tf.clipByValue(context.images.add(directions.mul(settings.epsilon)), 0, 1),
  );
  directions.dispose();
  return {
    adversarials,
    steps: new Int32Array(context.labels.length).fill(1),
    queries: new Int32Array(context.labels.length).fill(2),
  };
};

/** The direction has unit root mean square: ε moves an image by ε·√width in L2. */
export const gradient: Attack<'gradient'> = async (context, settings) => {
  const directions = tf.tidy(() => {
    const g = lossGradient(context);
    return g.div(tf.sqrt(tf.mean(tf.square(g), 1, true)).add(1e-8)) as tf.Tensor2D; // [n, width] / [n, 1]
  });
  return searchAlong(context, directions, gridOf(settings));
};
