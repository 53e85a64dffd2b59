/**
 * Losses of classifiers, each with its own gradient (`tf.customGrad`). Without it, TensorFlow.js records every operation for the backward
 * pass, which costs several times as much as the arithmetic.
 */
import * as tf from '@tensorflow/tfjs';

/** One-hot rows [batch, classes] with `share` of each row spread over all classes (Szegedy et al. 2016, eq. 5). Rows still sum to 1. */
export const smoothed = (oneHot: tf.Tensor2D, share: number): tf.Tensor2D =>
  tf.add(tf.mul(oneHot, 1 - share), share / oneHot.shape[1]);

/** Mean softmax cross-entropy: logits [batch, classes] × targets [batch, classes], whose rows sum to 1, → []. Differentiable in the logits. */
export const softmaxCrossEntropy = (logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar => {
  const batch = logits.shape[0];
  const loss = tf.customGrad((z, save) => {
    const probabilities = tf.softmax(z as tf.Tensor2D); // [batch, classes]
    (save as tf.GradSaveFunc)([probabilities, targets]);
    // log Σ exp z − z_y keeps its precision where softmax underflows.
    const perImage = tf.sub(tf.logSumExp(z as tf.Tensor2D, 1), tf.sum(tf.mul(z as tf.Tensor2D, targets), 1)); // [batch]
    return {
      value: tf.mean(perImage),
      gradFunc: (dy: tf.Tensor, [predicted, actual]: tf.Tensor[]) =>
        tf.mul(tf.sub(predicted!, actual!), tf.div(dy, batch)),
    };
  });
  return loss(logits) as tf.Scalar;
};

/**
 * Mean Kullback–Leibler divergence KL(p ‖ q) of p = softmax(a) and q = softmax(b): [batch, classes] × the same → []. Differentiable in
 * both: ∂/∂a = p (log p − log q − KL), ∂/∂b = q − p, each divided by the batch size.
 */
export const divergence = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Scalar => {
  const batch = a.shape[0];
  const mean = tf.customGrad((from, to, save) => {
    const [p, q] = [tf.softmax(from as tf.Tensor2D), tf.softmax(to as tf.Tensor2D)];
    const ratio = tf.sub(tf.logSoftmax(from as tf.Tensor2D), tf.logSoftmax(to as tf.Tensor2D)); // log p − log q, [batch, classes]
    const perImage = tf.sum(tf.mul(p, ratio), 1, true); // [batch, 1]
    (save as tf.GradSaveFunc)([p, q, ratio, perImage]);
    return {
      value: tf.mean(perImage),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [p, q, ratio, perImage] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const share = tf.div(dy, batch);
        return [tf.mul(tf.mul(p, tf.sub(ratio, perImage)), share), tf.mul(tf.sub(q, p), share)];
      },
    };
  });
  return mean(a, b) as tf.Scalar;
};

/**
 * The identity, whose gradient is multiplied by `scale`: one factor, or one per image. `scale` is called once, in the backward pass and
 * inside its tidy, so the factor may depend on values that the forward pass computes later.
 *
 * With it, one pass gives two players the gradients of their own losses: with `Def(scaleGradient(Att(x), () => −γ·[L < β]))` and the loss
 * `L + mse(Att(x), x)`, the defender descends L and the attacker mse + γ·max(β − L, 0).
 */
export function scaleGradient<T extends tf.Tensor>(tensor: T, scale: () => tf.Tensor): T {
  const identity = tf.customGrad((x: tf.Tensor | tf.GradSaveFunc) => ({
    value: (x as T).clone(),
    gradFunc: (dy: tf.Tensor) => dy.mul(scale()),
  }));
  return identity(tensor) as T;
}
