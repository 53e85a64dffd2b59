/** What score-based attacks see of the model: one number per row. */
import * as tf from '@tensorflow/tfjs';
import type { FlatModel } from './flat-model.ts';
import { withoutLabel } from './losses.ts';
import { oneHot } from './rows.ts';

/** z_y − max over j ≠ y of z_j, and whether the class is wrong. `values` are rows of pixels in [0, 1]. */
export const marginsOf = async (model: FlatModel, values: Float32Array, labels: Int32Array) => {
  const numbers = tf.tidy(() => {
    const logits = model.logits(tf.tensor2d(values, [labels.length, model.width]));
    const truth = oneHot(labels, model.classes);
    const margin = tf.sum(logits.mul(truth), 1).sub(tf.max(withoutLabel(logits, truth), 1));
    return tf.stack([margin, tf.argMax(logits, 1).toFloat()]);
  });
  const read = await numbers.data<'float32'>();
  numbers.dispose();
  const margins = read.slice(0, labels.length);
  return { margins, fooled: labels.map((label, row) => (read[labels.length + row] === label ? 0 : 1)) };
};
