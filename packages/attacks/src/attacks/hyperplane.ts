/** Projections onto a hyperplane without leaving [0, 1] (Croce & Hein 2020, FAB, §2.2). */
import * as tf from '@tensorflow/tfjs';
import type { Norm } from '../norms.ts';

/** Newton steps on a concave, piecewise linear function from its left: each is exact within a piece, none overshoots. */
const newtonSteps = 10;

/**
 * The least δ in `norm` with ⟨w, δ⟩ = gap and 0 ≤ x + δ ≤ 1; all the way to the bounds where that cannot be reached.
 * With the room ρ_i that pixel i has in the direction of w_i, δ_i = sign(w_i)·min(λ, ρ_i) (L∞) or sign(w_i)·min(λ|w_i|, ρ_i) (L2), and λ
 * solves Σ min(λ s_i, |w_i| ρ_i) = |gap| with s_i = |w_i| or w_i². `x`, `w`: `[n, width]`; `gap`: `[n, 1]`, of either sign.
 */
export const projectOntoHyperplane = (
  x: tf.Tensor2D,
  w: tf.Tensor2D,
  gap: tf.Tensor2D,
  norm: Norm,
): tf.Tensor2D =>
  tf.tidy(() => {
    const towards = w.mul<tf.Tensor2D>(tf.greaterEqual(gap, 0).toFloat().mul(2).sub(1)); // uphill is where the plane is
    const up = tf.greater(towards, 0).toFloat();
    const size = tf.abs(towards);
    const room = up.mul(tf.sub(1, x)).add(tf.sub(1, up).mul(x)); // [n, width]
    const rate = norm === 'linf' ? size : tf.square(size);
    const limit = size.mul(room);
    const goal = tf.abs(gap);
    let lambda = tf.zerosLike(gap);
    for (let i = 0; i < newtonSteps; i++)
      lambda = tf.tidy(() => {
        const reached = rate.mul(lambda);
        const open = tf.less(reached, limit).toFloat();
        const missing = goal.sub(tf.sum(tf.minimum(reached, limit), 1, true));
        return lambda.add(tf.maximum(missing, 0).div(tf.maximum(tf.sum(rate.mul(open), 1, true), 1e-12)));
      });
    const length = tf.minimum(norm === 'linf' ? tf.onesLike(x).mul(lambda) : size.mul(lambda), room);
    const sign = up.mul(2).sub(1).mul(tf.greater(size, 0).toFloat());
    return length.mul(sign);
  });
