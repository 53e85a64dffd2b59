/**
 * The losses that attacks increase: functions from logits, `[n, classes]`, to one number per row, `[n]`. A larger loss is nearer to a
 * mistake.
 */
import * as tf from '@tensorflow/tfjs';
import { oneHot } from './batch-rows.ts';
import type { FlatModel } from './flat-model.ts';
import { signOf } from './norms.ts';

export type RowLoss = (logits: tf.Tensor2D) => tf.Tensor1D;

/**
 * −log softmax(z)_y. Its gradient is softmax(z) − onehot(y), from logits: no probability is clipped, so the gradient vanishes only where
 * float32 rounds p_y to 1. `labels`: one-hot, `[n, classes]`.
 */
export const crossEntropy = (labels: tf.Tensor2D): RowLoss => {
  const loss = tf.customGrad((z, save) => {
    const logits = z as tf.Tensor2D; // customGrad hides the rank
    const shifted = logits.sub(tf.max(logits, 1, true));
    const logSoftmax = shifted.sub(tf.log(tf.sum(tf.exp(shifted), 1, true))); // [n, classes]
    (save as tf.GradSaveFunc)([logSoftmax]);
    const value = tf.sum(logSoftmax.mul(labels), 1).neg();
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.exp(saved[0]!).sub(labels).mul(dy.expandDims(1));
    return { value, gradFunc };
  });
  return (logits) => loss(logits) as tf.Tensor1D; // summed over classes
};

/** The logits with the true class far below all others, so that the maximum is taken over the other classes. `[n, classes]`. */
const withoutLabel = (logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor2D => logits.sub(labels.mul(1e9));

/**
 * max over j ≠ y of z_j − z_y (Carlini & Wagner 2017). Positive exactly where the model errs. The loss does not saturate, so its gradient
 * does not vanish on confident models.
 */
export const margin =
  (labels: tf.Tensor2D): RowLoss =>
  (logits) =>
    tf.max(withoutLabel(logits, labels), 1).sub(tf.sum(logits.mul(labels), 1)) as tf.Tensor1D; // reduced to [n]

/**
 * Targeted difference-of-logits ratio −(z_y − z_t) / (z₍₁₎ − ½(z₍₃₎ + z₍₄₎)) (Croce & Hein 2020, eq. 7). A factor on the logits does not
 * change it, so large logits cannot hide its gradient. With fewer than four classes the last rank replaces the missing ranks. `labels` and
 * `targets`: one-hot, `[n, classes]`.
 */
export const targetedDifferenceRatio = (labels: tf.Tensor2D, targets: tf.Tensor2D): RowLoss => {
  const loss = tf.customGrad((z, save) => {
    const logits = z as tf.Tensor2D; // customGrad hides the rank
    const classes = logits.shape[1];
    const order = tf.topk(logits, Math.min(4, classes)).indices; // [n, 4], largest first
    const at = (rank: number) =>
      tf
        .oneHot(
          tf
            .slice(order, [0, Math.min(rank, classes - 1)], [-1, 1])
            .squeeze([1])
            .toInt(),
          classes,
        )
        .toFloat();
    const spread = at(0).sub(at(2).add(at(3)).mul(0.5)); // z₍₁₎ − ½(z₍₃₎ + z₍₄₎) as weights, [n, classes]
    const gap = labels.sub(targets);
    const numerator = tf.sum(logits.mul(gap), 1, true); // [n, 1]
    const denominator = tf.sum(logits.mul(spread), 1, true).add(1e-12);
    const slope = spread.mul(numerator.div(tf.square(denominator))).sub(gap.div(denominator)); // [n, classes]
    (save as tf.GradSaveFunc)([slope]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => saved[0]!.mul(dy.expandDims(1));
    return { value: numerator.div(denominator).neg().squeeze([1]), gradFunc };
  });
  return (logits) => loss(logits) as tf.Tensor1D; // one number per row
};

/** How an attack scales a gradient. `sign`: ±1 per pixel. `rms`: root mean square 1, so ε is a size per pixel. `l2`: L2 norm 1. */
export type Scaling = 'sign' | 'rms' | 'l2';

/** The scaled gradient of the cross-entropy at `x`, `[n, width]`. `labels`: the true classes. Costs one forward and one backward pass. */
export const lossDirection = (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  scaling: Scaling,
): tf.Tensor2D =>
  tf.tidy((): tf.Tensor2D => {
    const { gradient } = model.gradient(x, crossEntropy(oneHot(labels, model.classes)));
    if (scaling === 'sign') return signOf(gradient);
    const squares = tf.square(gradient);
    const size = scaling === 'rms' ? tf.mean(squares, 1, true) : tf.sum(squares, 1, true);
    return gradient.div(tf.sqrt(size).add(1e-8)); // [n, width] / [n, 1]
  });
