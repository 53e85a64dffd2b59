import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { expectClose, onBoth, openBackend } from './compare.ts';

beforeAll(async () => {
  await openBackend('cpu');
  await openBackend('wasm');
});

const uniform = (shape: readonly number[], seed: number) =>
  tf.randomUniform([...shape], -1, 1, 'float32', seed);

const sizes = [
  [128, 3136, 64],
  [7, 5, 3],
  [1, 9, 17],
  [16, 80, 3136],
  [33, 600, 70],
  [4, 1, 8],
  [131, 9, 70], // rows that are copied, 64 at a time, and three more
] as const;
const flags = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

test.each(sizes)(
  'products of %i×%i and %i columns, with each factor transposed or not',
  async (rows, depth, columns) => {
    for (const [transposeA, transposeB] of flags) {
      const a = () => uniform(transposeA ? [depth, rows] : [rows, depth], 1);
      const b = () => uniform(transposeB ? [columns, depth] : [depth, columns], 2);
      expectClose(await onBoth(() => [tf.matMul(a(), b(), transposeA, transposeB)]));
    }
  },
);

test('with bias and ReLU, and in batches', async () => {
  const fused = await onBoth(() => [
    tf.fused.matMul({
      a: uniform([9, 30], 1) as tf.Tensor2D,
      b: uniform([30, 11], 2) as tf.Tensor2D,
      bias: uniform([11], 3),
      activation: 'relu',
    }),
    tf.matMul(uniform([3, 5, 7], 1), uniform([1, 7, 9], 2)),
    tf.matMul(uniform([3, 7, 5], 1), uniform([3, 7, 9], 2), true),
  ]);
  expectClose(fused);
});

test('gradients agree with finite differences', async () => {
  await tf.setBackend('wasm');
  const a = uniform([5, 6], 1) as tf.Tensor2D;
  const b = uniform([6, 4], 2) as tf.Tensor2D;
  const loss = (left: tf.Tensor, right: tf.Tensor) =>
    tf
      .matMul(left as tf.Tensor2D, right as tf.Tensor2D)
      .square()
      .sum<tf.Scalar>();
  const [da] = tf.grads(loss)([a, b]);
  const step = 1e-2;
  for (const [i, j] of [
    [0, 0],
    [4, 5],
    [2, 3],
  ] as const) {
    const bump = tf.buffer([5, 6]);
    bump.set(step, i, j);
    const [up, down] = [loss(a.add(bump.toTensor()), b), loss(a.sub(bump.toTensor()), b)];
    // The loss is quadratic: central differences are exact but for rounding.
    const slope = (up.dataSync()[0]! - down.dataSync()[0]!) / (2 * step);
    expect(da!.bufferSync().get(i, j)).toBeCloseTo(slope, 2);
  }
});
