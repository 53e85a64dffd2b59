/**
 * Gradients of products along axes, from those of TensorFlow.js.
 */
import * as tf from '@tensorflow/tfjs';
import { type Gradient, gradient, type InputGradients, sumTo } from './gradient.ts';

/** The gradient that TensorFlow.js has for a kernel. */
const shippedGradient = (kernel: string) => {
  const { gradFunc } = tf.getGradient(kernel);
  return (dy: tf.Tensor, saved: readonly tf.Tensor[], attributes: object): InputGradients =>
    gradFunc(dy, [...saved], attributes as tf.NamedAttrMap);
};

export function productGradients(): readonly Gradient[] {
  const [matMul, prod] = [shippedGradient('BatchMatMul'), shippedGradient('Prod')];
  return [
    // TensorFlow.js forgets that one of the two may be the same for the whole batch.
    {
      kernel: 'BatchMatMul',
      saved: ['a', 'b'],
      inputs: (dy, [a, b], attributes) => {
        const whole = matMul(dy, [a!, b!], attributes);
        return { a: () => sumTo(whole.a!(), a!.shape), b: () => sumTo(whole.b!(), b!.shape) };
      },
    },
    // TensorFlow.js does not know negative axes here.
    gradient<tf.ProdAttrs>({
      kernel: 'Prod',
      saved: ['x'],
      inputs: (dy, [x], { axis }) => {
        const axes = tf.util.parseAxisParam(axis as number | number[], x!.shape);
        return prod(dy, [x!], { axis: axes.toSorted((one, other) => one - other) });
      },
    }),
  ];
}
