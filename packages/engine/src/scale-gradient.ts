import * as tf from '@tensorflow/tfjs';

/**
 * The identity, whose gradient is multiplied by `scale`, of one factor or one per image, known only once the forward pass has run.
 *
 * Between two players it gives each the gradient of its own loss from one pass: with
 * `Def(scaleGradient(Att(x), () => −γ·[L < β]))` and the loss `L + mse(Att(x), x)`, the defender descends L and the attacker
 * mse + γ·max(β − L, 0). `scale` is called once, in the backward pass, within the gradient's tidy.
 */
export function scaleGradient<T extends tf.Tensor>(tensor: T, scale: () => tf.Tensor): T {
  const identity = tf.customGrad((x: tf.Tensor | tf.GradSaveFunc) => ({
    value: (x as T).clone(),
    gradFunc: (dy: tf.Tensor) => dy.mul(scale()),
  }));
  return identity(tensor) as T;
}
