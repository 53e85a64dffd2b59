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
    const up = tf.step(towards);
    const size = tf.abs(towards);
    const room: tf.Tensor2D = up.mul<tf.Tensor2D>(tf.sub(1, x)).add(tf.sub(1, up).mul(x)); // [n, width]
    const rate = norm === 'linf' ? size : tf.square(size);
    const limit = size.mul<tf.Tensor2D>(room);
    const goal = tf.abs(gap);
    let lambda = tf.zerosLike(gap);
    for (let i = 0; i < newtonSteps; i++)
      lambda = tf.tidy(() => {
        const left = tf.relu(limit.sub(rate.mul(lambda))); // what each pixel has not used of its limit
        const missing = goal.sub(tf.sum(limit.sub(left), 1, true));
        const slope = tf.sum(rate.mul(tf.step(left)), 1, true);
        return lambda.add(tf.maximum(missing, 0).div(tf.maximum(slope, 1e-12)));
      });
    const wanted: tf.Tensor2D = tf.clipByValue(
      norm === 'linf' ? tf.onesLike(x).mul(lambda) : size.mul(lambda),
      0,
      1,
    );
    const length = wanted.sub<tf.Tensor2D>(tf.relu(wanted.sub(room))); // the lesser of both
    const sign = up.mul(2).sub(1).mul(tf.step(size));
    return length.mul(sign);
  });
