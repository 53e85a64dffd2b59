/**
 * One use of an operator of TensorFlow.js, to compare forward passes and gradients.
 */
import type * as tf from '@tensorflow/tfjs';

/** One use of an operator. `operator` is the name of the kernel in TensorFlow.js. */
export interface OperatorCase {
  readonly operator: string;
  readonly how: string;
  /** The shapes of the inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** The interval of the input values. Default [-1, 1]. */
  readonly range: readonly [number, number];
  readonly apply: (...inputs: tf.Tensor[]) => tf.Tensor;
}

type Apply = OperatorCase['apply'];

export const use = (
  operator: string,
  how: string,
  shapes: readonly (readonly number[])[],
  apply: Apply,
  range: readonly [number, number] = [-1, 1],
): OperatorCase => ({ operator, how, shapes, range, apply });

/** Types a tensor of the rank that an operator wants. */
export const as4D = (x: tf.Tensor) => x as tf.Tensor4D;
export const as5D = (x: tf.Tensor) => x as tf.Tensor5D;
