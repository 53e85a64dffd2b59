/**
 * Gradients of operators that work value by value, and of sums along an axis.
 */
import * as tf from '@tensorflow/tfjs';
import { type Gradient, gradient, sumTo, zeros } from './gradient.ts';

/** Answers that jump from one value to another: their derivative is 0 wherever it exists. TensorFlow.js lacks the gradient, or takes 1. */
const steps: readonly Gradient[] = [
  ...[
    'Greater',
    'GreaterEqual',
    'Less',
    'LessEqual',
    'Equal',
    'NotEqual',
    'LogicalAnd',
    'LogicalOr',
    'FloorDiv',
  ].map(
    (kernel): Gradient => ({
      kernel,
      saved: ['a', 'b'],
      inputs: (_, [a, b]) => ({ a: zeros(a!), b: zeros(b!) }),
    }),
  ),
  ...['LogicalNot', 'Any', 'All'].map(
    (kernel): Gradient => ({ kernel, saved: ['x'], inputs: (_, [x]) => ({ x: zeros(x!) }) }),
  ),
  gradient<{ readonly dtype: tf.DataType }>({
    kernel: 'Cast',
    inputs: (dy, _, { dtype }) => ({ x: dtype === 'float32' ? () => dy.clone() : zeros(dy) }),
  }),
];

/** Operators on two tensors, of which TensorFlow.js forgets that either may be broadcast. */
const broadcast: readonly Gradient[] = [
  {
    kernel: 'Maximum',
    saved: ['a', 'b'],
    inputs: (dy, [a, b]) => ({
      a: () => sumTo(tf.mul(dy, tf.cast(tf.greaterEqual(a!, b!), 'float32')), a!.shape),
      b: () => sumTo(tf.mul(dy, tf.cast(tf.less(a!, b!), 'float32')), b!.shape),
    }),
  },
  {
    kernel: 'Minimum',
    saved: ['a', 'b'],
    inputs: (dy, [a, b]) => ({
      a: () => sumTo(tf.mul(dy, tf.cast(tf.lessEqual(a!, b!), 'float32')), a!.shape),
      b: () => sumTo(tf.mul(dy, tf.cast(tf.greater(a!, b!), 'float32')), b!.shape),
    }),
  },
  {
    kernel: 'SquaredDifference',
    saved: ['a', 'b'],
    inputs: (dy, [a, b]) => ({
      a: () => sumTo(tf.mul(dy, tf.mul(2, tf.sub(a!, b!))), a!.shape),
      b: () => sumTo(tf.mul(dy, tf.mul(2, tf.sub(b!, a!))), b!.shape),
    }),
  },
];

const alongAxis: readonly Gradient[] = [
  // TensorFlow.js transposes the gradient where the axis is not the last.
  gradient<{ readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }>({
    kernel: 'Cumsum',
    inputs: (dy, _, { axis, exclusive, reverse }) => ({ x: () => tf.cumsum(dy, axis, exclusive, !reverse) }),
  }),
];

export const elementwiseGradients: readonly Gradient[] = [...steps, ...broadcast, ...alongAxis];
