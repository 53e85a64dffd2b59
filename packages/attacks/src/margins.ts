/** What score-based attacks see of the model: one number per row. */
import { classOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { FlatModel } from './flat-model.ts';

/**
 * z_y − max over j ≠ y of z_j, NaN where a logit is NaN or both are the same infinity, and whether the class is wrong. `values` are rows of
 * pixels in [0, 1].
 */
export const marginsOf = async (model: FlatModel, values: Float32Array, labels: Int32Array) => {
  const logits = tf.tidy(() => model.logits(tf.tensor2d(values, [labels.length, model.width])));
  const z = await logits.data<'float32'>();
  logits.dispose();
  const margins = new Float32Array(labels.length);
  const fooled = Array.from(labels, (label, row) => {
    const answer = z.subarray(row * model.classes, (row + 1) * model.classes);
    margins[row] = answer[label]! - Math.max(...answer.filter((_, k) => k !== label)); // Math.max keeps a NaN
    return isMistake(classOf(answer), label);
  });
  return { margins, fooled };
};
