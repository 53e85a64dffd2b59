/**
 * One step of Adam, in place: a kernel on wasm, composed of tfjs ops on other backends.
 */
import * as tf from '@tensorflow/tfjs';
import { heapOf, type Tensors } from './heap.ts';
import { adam } from './wasm/elementwise.ts';

export interface AdamRates {
  readonly beta1: number;
  readonly beta2: number;
  /** Learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) at step t. */
  readonly rate: number;
  readonly epsilon: number;
}

/** FunnelAdam: weight, gradient, first and second moment, all of one shape. It changes weight and moments in place and returns nothing. */
export const adamKernel: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { weight, gradient, first, second } = inputs as Tensors<'weight' | 'gradient' | 'first' | 'second'>;
  const { beta1, beta2, rate, epsilon } = attrs as unknown as AdamRates;
  const heap = heapOf(backend);
  const at = [weight, gradient, first, second].map((tensor) => heap.address(tensor));
  const count = tf.util.sizeFromShape(weight.shape);
  heap.once('adam', () => heap.compile(adam()))(
    ...at,
    count,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    rate,
    epsilon,
  );
  return [];
};

/** Gives the variable its own copy of values that it shares with a clone. A change in place then leaves the clone as it is. */
function withOwnValues(variable: tf.Variable): tf.Variable {
  if (tf.backend().refCount(variable.dataId) > 1)
    tf.tidy(() => variable.assign(tf.tensor(variable.dataSync().slice(), variable.shape)));
  return variable;
}

/**
 * One step of Adam (Kingma & Ba 2015, the efficient order of computation at the end of §2) for one weight and its two moments:
 *   m ← β₁·m + (1 − β₁)·g    v ← β₂·v + (1 − β₂)·g²    w ← w − rate · m / (√v + ε)
 * It changes the variables in place. `gradient` has the shape of the weight.
 */
export function adamStep(
  weight: tf.Variable,
  gradient: tf.Tensor,
  [first, second]: readonly [tf.Variable, tf.Variable],
  rates: AdamRates,
): void {
  if (tf.getKernel('FunnelAdam', tf.getBackend())) {
    const inputs = {
      weight: withOwnValues(weight),
      gradient,
      first: withOwnValues(first),
      second: withOwnValues(second),
    };
    tf.engine().runKernel('FunnelAdam', inputs, { ...rates });
    return;
  }
  const { beta1, beta2, rate, epsilon } = rates;
  tf.tidy(() => {
    first.assign(tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)));
    second.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
    weight.assign(tf.sub(weight, tf.div(tf.mul(first, rate), tf.add(tf.sqrt(second), epsilon))));
  });
}
