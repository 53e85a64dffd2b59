/**
 * FGSM and the Gradient attack: one gradient, then steps of growing size along it.
 * Foolbox 1.8 `GradientSignAttack`, `GradientAttack` (`foolbox/attacks/gradient.py`).
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { lossDirection } from './directions.ts';
import { gridOf } from './grid.ts';
import { searchAlong } from './search-along.ts';

export const fgsm: Attack<'fgsm'> = async (context, settings) => {
  const { images, labels } = context;
  const directions = lossDirection(context, images, labels, 'sign');
  if (settings.search) return searchAlong(context, directions, gridOf(settings));
  const adversarials: tf.Tensor2D = tf.tidy(() =>
    tf.clipByValue(images.add(directions.mul(settings.epsilon)), 0, 1),
  );
  directions.dispose();
  return {
    adversarials,
    steps: new Int32Array(labels.length).fill(1),
    queries: new Int32Array(labels.length).fill(2),
  };
};

/** The direction has unit root mean square: ε moves an image by ε·√width in L2. */
export const gradient: Attack<'gradient'> = async (context, settings) =>
  searchAlong(context, lossDirection(context, context.images, context.labels, 'rms'), gridOf(settings));
