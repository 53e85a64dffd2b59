/**
 * Gradients of products and of normalisation, from those of TensorFlow.js.
 */
import * as tf from '@tensorflow/tfjs';
import { type Gradient, gradient, shippedGradient, sumTo } from './gradient.ts';

type Shipped = ReturnType<typeof shippedGradient>;

export function productGradients(): readonly Gradient[] {
  const [matMul, prod, normalisation] = ['BatchMatMul', 'Prod', 'FusedBatchNorm'].map(shippedGradient) as [
    ...[Shipped, Shipped, Shipped],
  ];
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
    // TensorFlow.js repeats the deviations for every pixel before it multiplies. These are the same products.
    gradient<tf.FusedBatchNormAttrs>({
      kernel: 'FusedBatchNorm',
      saved: ['x', 'mean', 'variance', 'scale'],
      inputs: (dy, saved, attributes) => {
        const [, , variance, scale] = saved;
        const deviation = tf.rsqrt(tf.add(variance!, attributes.varianceEpsilon));
        return {
          ...normalisation(dy, saved, attributes),
          x: () => tf.mul(tf.mul(dy, deviation), scale ?? tf.scalar(1)),
        };
      },
    }),
  ];
}
