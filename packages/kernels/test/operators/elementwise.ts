/**
 * Operators that work value by value, with broadcasting, and conditions that depend on the input.
 */
import * as tf from '@tensorflow/tfjs';
import { type OperatorCase, use } from './use.ts';

const unary = (operator: string, apply: (x: tf.Tensor) => tf.Tensor, range?: readonly [number, number]) =>
  use(operator, 'each value', [[3, 7]], (x) => apply(x!), range);

export const elementwise: readonly OperatorCase[] = [
  unary('Abs', tf.abs),
  unary('Acos', tf.acos, [-0.9, 0.9]),
  unary('Acosh', tf.acosh, [1.5, 3]),
  unary('Asin', tf.asin, [-0.9, 0.9]),
  unary('Asinh', tf.asinh),
  unary('Atan', tf.atan),
  unary('Atanh', tf.atanh, [-0.8, 0.8]),
  unary('Cast', (x) => tf.cast(x, 'float32')),
  unary('Cast', (x) => tf.mul(x, tf.cast(tf.cast(x, 'int32'), 'float32')), [-3.1, 2.9]),
  unary('Ceil', (x) => tf.mul(x, tf.ceil(x)), [-3.1, 2.9]),
  unary('ClipByValue', (x) => tf.clipByValue(x, -0.4, 0.6)),
  unary('Cos', tf.cos, [-3, 3]),
  unary('Cosh', tf.cosh),
  unary('Elu', tf.elu),
  unary('Erf', tf.erf),
  unary('Exp', tf.exp),
  unary('Expm1', tf.expm1),
  unary('Floor', (x) => tf.mul(x, tf.floor(x)), [-3.1, 2.9]),
  unary('Identity', (x) => tf.mul(tf.clone(x), x)),
  unary('LeakyRelu', (x) => tf.leakyRelu(x, 0.3)),
  unary('Log', tf.log, [0.5, 3]),
  unary('Log1p', tf.log1p, [-0.5, 3]),
  unary('Neg', tf.neg),
  unary('OnesLike', (x) => tf.mul(x, tf.onesLike(x))),
  unary('Reciprocal', tf.reciprocal, [0.5, 3]),
  unary('Relu', tf.relu),
  unary('Relu6', tf.relu6, [-4, 9]),
  unary('Round', (x) => tf.mul(x, tf.round(x)), [-3.1, 2.9]),
  unary('Rsqrt', tf.rsqrt, [0.5, 3]),
  unary('Selu', tf.selu),
  unary('Sigmoid', tf.sigmoid, [-4, 4]),
  unary('Sign', (x) => tf.mul(x, tf.sign(x))),
  unary('Sin', tf.sin, [-3, 3]),
  unary('Sinh', tf.sinh),
  unary('Softplus', tf.softplus, [-4, 4]),
  unary('Sqrt', tf.sqrt, [0.5, 3]),
  unary('Square', tf.square),
  unary('Step', (x) => tf.mul(x, tf.step(x, 0.2))),
  unary('Tan', tf.tan),
  unary('Tanh', tf.tanh, [-3, 3]),
  unary('ZerosLike', (x) => tf.add(x, tf.zerosLike(x))),
  unary('IsFinite', (x) => tf.mul(x, tf.cast(tf.isFinite(x), 'float32'))),
  unary('IsInf', (x) => tf.mul(x, tf.cast(tf.logicalNot(tf.isInf(x)), 'float32'))),
  unary('IsNan', (x) => tf.mul(x, tf.cast(tf.logicalNot(tf.isNaN(x)), 'float32'))),
  use('Prelu', 'one slope per channel', [[2, 3, 3], [3]], (x, slope) => tf.prelu(x!, slope!)),
  use(
    'Prelu',
    'one slope per value',
    [
      [2, 3],
      [2, 3],
    ],
    (x, slope) => tf.prelu(x!, slope!),
  ),
];

const binary = (
  operator: string,
  apply: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  range?: readonly [number, number],
) =>
  (
    [
      [
        'equal shapes',
        [
          [3, 5],
          [3, 5],
        ],
      ],
      ['a row and a matrix', [[5], [3, 5]]],
      [
        'a matrix and a column',
        [
          [3, 5],
          [3, 1],
        ],
      ],
      ['a scalar and a matrix', [[], [2, 3]]],
      [
        'rows against columns',
        [
          [4, 1, 3],
          [2, 1],
        ],
      ],
    ] as const
  ).map(([how, shapes]) => use(operator, how, shapes, (a, b) => apply(a!, b!), range));

/** Values that a condition chooses: the condition depends on the input, as in a model that masks its input. */
const chosen = (operator: string, condition: (x: tf.Tensor) => tf.Tensor) => [
  use(operator, 'mask', [[3, 7]], (x) => tf.mul(x!, tf.cast(condition(x!), 'float32'))),
  use(operator, 'condition', [[3, 7]], (x) => tf.where(condition(x!), tf.mul(x!, x!), tf.mul(x!, 3))),
];

export const comparisons: readonly OperatorCase[] = [
  ...chosen('Greater', (x) => tf.greater(x, 0.21)),
  ...chosen('GreaterEqual', (x) => tf.greaterEqual(x, 0.21)),
  ...chosen('Less', (x) => tf.less(x, 0.21)),
  ...chosen('LessEqual', (x) => tf.lessEqual(x, 0.21)),
  ...chosen('Equal', (x) => tf.logicalNot(tf.equal(x, 0.21))),
  ...chosen('NotEqual', (x) => tf.notEqual(x, 0.21)),
  ...chosen('LogicalAnd', (x) => tf.logicalAnd(tf.greater(x, -0.2), tf.less(x, 0.41))),
  ...chosen('LogicalOr', (x) => tf.logicalOr(tf.greater(x, 0.21), tf.less(x, -0.4))),
  ...chosen('LogicalNot', (x) => tf.logicalNot(tf.greater(x, 0.21))),
  use('Any', 'mask of rows', [[4, 3]], (x) =>
    tf.mul(x!, tf.cast(tf.any(tf.greater(x!, 0.6), 1, true), 'float32')),
  ),
  use('All', 'mask of rows', [[4, 3]], (x) =>
    tf.mul(x!, tf.cast(tf.all(tf.greater(x!, -0.6), 1, true), 'float32')),
  ),
  use(
    'Select',
    'a column and a matrix',
    [
      [3, 4],
      [3, 1],
    ],
    (a, b) => tf.where(tf.tensor2d([[1], [0], [1]], [3, 1], 'bool'), a!, b!),
  ),
  use(
    'Select',
    'a condition per row',
    [
      [3, 4],
      [3, 4],
    ],
    (a, b) => tf.where(tf.tensor1d([1, 0, 1, 0], 'bool'), a!, b!),
  ),
];

export const arithmetic: readonly OperatorCase[] = [
  ...binary('Add', tf.add),
  ...binary('Sub', tf.sub),
  ...binary('Multiply', tf.mul),
  ...binary('RealDiv', tf.div, [0.5, 2]),
  ...binary('RealDiv', tf.divNoNan, [0.5, 2]),
  ...binary('Pow', tf.pow, [0.5, 2]),
  ...binary('Maximum', tf.maximum),
  ...binary('Minimum', tf.minimum),
  ...binary('Mod', (a, b) => tf.mod(tf.add(tf.mul(a, 0.2), 2.5), tf.add(tf.mul(b, 0.05), 1))),
  ...binary('SquaredDifference', tf.squaredDifference),
  ...binary('Atan2', tf.atan2, [0.5, 2]),
  ...binary('FloorDiv', (a, b) =>
    tf.add(tf.mul(a, b), tf.floorDiv(tf.add(tf.mul(a, 0.2), 2.5), tf.add(tf.mul(b, 0.05), 1))),
  ),
  use('Pow', 'whole powers of negative numbers', [[2, 5]], (x) => tf.add(tf.pow(x!, 2), tf.pow(x!, 3))),
  use(
    'AddN',
    'three terms',
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    (...x) => tf.addN(x),
  ),
];
