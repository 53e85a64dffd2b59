import * as tf from '@tensorflow/tfjs';
import { meanOver } from './distance.ts';

/** Where the loss turns from a parabola into a line. Errors of pixels are at most 1. */
export const huberDelta = 0.1;

/**
 * The mean over the pixels of e²/2 where |e| ≤ δ, else of δ·(|e| − δ/2) (Huber 1964). With c = min(|e|, δ), both are c·(|e| − c/2); the
 * slope is e, clipped to [−δ, δ].
 */
export const huber = meanOver(
  (error) => {
    const size = tf.abs(error);
    const clipped = tf.minimum(size, huberDelta);
    return tf.mul(clipped, tf.sub(size, tf.div(clipped, 2)));
  },
  (error) => tf.clipByValue(error, -huberDelta, huberDelta),
);
