/**
 * Operators along axes: sums, maxima, cumulative sums.
 */
import * as tf from '@tensorflow/tfjs';
import { type OperatorCase, use } from './use.ts';

const axes = [
  ['all axes', undefined],
  ['the first axis', 0],
  ['the last axis', -1],
  ['a middle axis', 1],
  ['two axes', [0, 2]],
] as const;
const reduced = (
  operator: string,
  apply: (x: tf.Tensor, axis: number | number[] | undefined, keepDims: boolean) => tf.Tensor,
  range?: readonly [number, number],
) =>
  axes.flatMap(([how, axis]) =>
    [false, true].map((keep) =>
      use(
        operator,
        `${how}${keep ? ', kept' : ''}`,
        [[3, 4, 5]],
        (x) => apply(x!, axis as number, keep),
        range,
      ),
    ),
  );

const cumulative = (
  operator: string,
  apply: (x: tf.Tensor, axis: number, exclusive: boolean, reverse: boolean) => tf.Tensor,
) =>
  [0, 1, 2].flatMap((axis) =>
    [false, true].flatMap((exclusive) =>
      [false, true].map((reverse) =>
        use(
          operator,
          `axis ${axis} of 3${exclusive ? ', exclusive' : ''}${reverse ? ', reverse' : ''}`,
          [[2, 3, 5]],
          (x) => apply(x!, axis, exclusive, reverse),
        ),
      ),
    ),
  );

export const reductions: readonly OperatorCase[] = [
  ...reduced('Sum', tf.sum),
  ...reduced('Mean', tf.mean),
  ...reduced('Max', tf.max),
  ...reduced('Min', tf.min),
  ...reduced('Prod', tf.prod, [0.5, 1.5]),
  ...cumulative('Cumsum', tf.cumsum),
  ...cumulative('Cumprod', (x, axis, exclusive, reverse) =>
    tf.cumprod(tf.add(x, 1.1), axis, exclusive, reverse),
  ),
  use('ArgMax', 'times the input', [[4, 3]], (x) => tf.mul(x!, tf.cast(tf.argMax(x!, 0), 'float32'))),
  use('ArgMin', 'times the input', [[4, 3]], (x) => tf.mul(x!, tf.cast(tf.argMin(x!, 0), 'float32'))),
  use('TopK', 'values', [[4, 7]], (x) => tf.topk(x!, 3).values),
  use('TopK', 'one of one', [[2, 3, 1]], (x) => tf.topk(x!, 1).values),
  use('TopK', 'one axis', [[6]], (x) => tf.topk(x!, 2).values),
  use('TopK', 'values of three axes', [[2, 2, 7]], (x) => tf.topk(x!, 2).values),
  use('TopK', 'indices', [[4, 7]], (x) =>
    tf.mul(tf.cast(tf.topk(x!, 2).indices, 'float32'), tf.topk(x!, 2).values),
  ),
  use('Softmax', 'last axis', [[3, 5]], (x) => tf.softmax(x!)),
  use('LogSoftmax', 'last axis', [[3, 5]], (x) => tf.logSoftmax(x!)),
  use('Max', 'log of a sum of exponentials', [[3, 5]], (x) => tf.logSumExp(x!, 1)),
];
