import * as tf from '@tensorflow/tfjs';
import { meanOver } from './distance.ts';

/** The mean over the pixels of |a − b|. Its slope is 0 where the pixels are equal. */
export const l1 = meanOver(
  (error) => tf.abs(error),
  (error) => tf.sign(error),
);
