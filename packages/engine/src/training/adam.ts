import { adamStep } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';

/** Adam (Kingma & Ba, 2015) over some weights. */
export type Adam = {
  readonly weights: readonly tf.Variable[];
  /** First and second moment of each weight: m₀, v₀, m₁, v₁, … */
  readonly moments: readonly tf.Variable[];
  /** One update. `t` counts them from 1: the only state besides the moments. */
  readonly update: (gradients: readonly tf.Tensor[], t: number) => void;
  readonly dispose: () => void;
};

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-7;

/** `moments` continues a run; without it they are 0. */
export const createAdam = (
  weights: readonly tf.Variable[],
  rate: number,
  moments?: readonly Float32Array[],
): Adam => {
  const state = weights.flatMap((weight, i) =>
    [0, 1].map((k) => {
      const values = moments?.[2 * i + k];
      return tf.tidy(() => tf.variable(values ? tf.tensor(values, weight.shape) : tf.zerosLike(weight)));
    }),
  );
  const update = (gradients: readonly tf.Tensor[], t: number): void => {
    const step = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
    for (const [i, weight] of weights.entries())
      adamStep(weight, gradients[i]!, [state[2 * i]!, state[2 * i + 1]!], {
        beta1,
        beta2,
        epsilon,
        rate: step,
      });
  };
  return { weights, moments: state, update, dispose: () => tf.dispose(state) };
};
