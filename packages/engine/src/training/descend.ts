import * as tf from '@tensorflow/tfjs';
import type { Adam } from './adam.ts';

type Outputs = Readonly<Record<string, tf.Tensor>>;

/** Keeps a tensor until the gradients are computed: what a node needs only on the way back. */
export type Hold = <T extends tf.Tensor>(tensor: T) => T;

/**
 * Runs `forward` once and lets every player step down the gradient of its `loss` with respect to its own weights. Update number `t`
 * (from 1). Answers the other tensors that `forward` returned, owned by the caller's tidy.
 */
export const descend = <T extends Outputs>(
  players: readonly Adam[],
  t: number,
  forward: (hold: Hold) => { readonly loss: tf.Scalar } & T,
): Omit<T, 'loss'> => {
  const weights = players.flatMap((player) => player.weights);
  const held: tf.Tensor[] = [];
  const hold: Hold = (tensor) => {
    held.push(tf.keep(tensor));
    return tensor;
  };
  let kept: [string, tf.Tensor][] = [];
  const { grads, value } = tf.variableGrads(() => {
    const { loss, ...outputs } = forward(hold);
    kept = Object.entries(outputs).map(([name, tensor]) => [name, hold(tf.clone(tensor))]);
    return loss;
  }, weights as tf.Variable[]);
  for (const player of players) {
    const gradients = player.weights.map((weight) => grads[weight.name]!);
    player.update(gradients, t);
  }
  const outputs = Object.fromEntries(kept.map(([name, tensor]) => [name, tf.clone(tensor)]));
  tf.dispose([value, grads, ...held]);
  return outputs as Omit<T, 'loss'>; // the same names with tensors of the same shapes
};
