/** The three ways in which the basic gradient attacks scale a gradient. `[n, width]` → `[n, width]`. */
import * as tf from '@tensorflow/tfjs';
import type { AttackContext } from '../attack.ts';
import { crossEntropy } from '../losses.ts';
import { signs } from '../norms.ts';
import { oneHot } from '../rows.ts';

/** `sign`: ±1 per pixel. `rms`: unit root mean square, so ε is a size per pixel. `l2`: unit L2 norm. */
export type Scaling = 'sign' | 'rms' | 'l2';

/** The scaled gradient of the cross-entropy at `x`, whose true classes are `labels`. */
export const lossDirection = (
  { model }: AttackContext,
  x: tf.Tensor2D,
  labels: Int32Array,
  scaling: Scaling,
): tf.Tensor2D =>
  tf.tidy((): tf.Tensor2D => {
    const { gradient } = model.gradient(x, crossEntropy(oneHot(labels, model.classes)));
    if (scaling === 'sign') return signs(gradient);
    const squares = tf.square(gradient);
    const size = scaling === 'rms' ? tf.mean(squares, 1, true) : tf.sum(squares, 1, true);
    return gradient.div(tf.sqrt(size).add(1e-8)); // [n, width] / [n, 1]
  });
