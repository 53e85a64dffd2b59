import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectClose, onBoth, openBackend } from './compare.ts';

beforeAll(async () => {
  await openBackend('cpu');
  await openBackend('wasm');
});

/** [batch, height, width, channels, filters, taps, stride, pad]: batches that are not multiples of four, odd sizes, channels that are not multiples of eight. */
const cases = [
  [5, 28, 28, 1, 32, 3, 2, 'same'],
  [3, 14, 14, 32, 64, 3, 2, 'same'],
  [6, 7, 7, 32, 64, 3, 2, 'same'],
  [3, 14, 13, 7, 5, 3, 2, 'same'],
  [2, 9, 9, 3, 4, 5, 3, 'valid'],
  [4, 7, 7, 16, 10, 3, 1, 'same'],
  [1, 6, 6, 2, 3, 2, 2, 'valid'],
  [7, 8, 8, 4, 4, 1, 1, 'same'],
  [2, 9, 9, 5, 9, 2, 3, 'same'],
  [5, 10, 10, 2, 7, 3, 1, 2],
] as const;

const uniform = (shape: readonly number[], seed: number) =>
  tf.randomUniform([...shape], -1, 1, 'float32', seed);

describe.each(cases)('%i images of %i×%i×%i → %i filters of %i², stride %i, %s', (...row) => {
  const [batch, height, width, channels, filters, taps, stride, pad] = row;
  const x = () => uniform([batch, height, width, channels], 1) as tf.Tensor4D;
  const filter = () => uniform([taps, taps, channels, filters], 2) as tf.Tensor4D;

  test('convolution, with bias and ReLU and without', async () => {
    const bias = () => uniform([filters], 3);
    const fused = await onBoth(() => [
      tf.conv2d(x(), filter(), stride, pad),
      tf.fused.conv2d({ x: x(), filter: filter(), strides: stride, pad, bias: bias(), activation: 'relu' }),
    ]);
    expectClose(fused);
  });

  test('gradients with respect to images and filter', async () => {
    const loss = (a: tf.Tensor, f: tf.Tensor) =>
      tf
        .conv2d(a as tf.Tensor4D, f as tf.Tensor4D, stride, pad)
        .square()
        .sum<tf.Scalar>();
    expectClose(await onBoth(() => tf.grads(loss)([x(), filter()])));
  });

  test('transposed convolution', async () => {
    const map = await onBoth(() => {
      const { shape } = tf.conv2d(x(), filter(), stride, pad);
      return [tf.conv2dTranspose(uniform(shape, 4) as tf.Tensor4D, filter(), x().shape, stride, pad)];
    });
    expectClose(map);
  });
});

test('inputs that our kernels do not support go to the kernels of tfjs-wasm', async () => {
  const dilated = () => [
    tf.conv2d(
      uniform([2, 9, 9, 3], 1) as tf.Tensor4D,
      uniform([3, 3, 3, 4], 2) as tf.Tensor4D,
      1,
      'same',
      'NHWC',
      2,
    ),
  ];
  expectClose(await onBoth(dilated));
});

test('an image has the same bits in every batch', async () => {
  await tf.setBackend('wasm');
  const [x, filter] = [uniform([7, 14, 14, 8], 1) as tf.Tensor4D, uniform([3, 3, 8, 12], 2) as tf.Tensor4D];
  const all = tf.conv2d(x, filter, 2, 'same');
  for (const image of [0, 3, 6]) {
    const alone = tf.conv2d(x.slice([image], [1]), filter, 2, 'same');
    expect(alone.dataSync()).toEqual(all.slice([image], [1]).dataSync());
  }
});

/** [batch, height, width, channels, filters, taps, pad]: few channels on both sides, so images lie in the lanes of vectors. */
const fewChannels = [
  [5, 28, 28, 1, 3, 3, 'same'],
  [1, 28, 28, 3, 3, 3, 'same'],
  [6, 14, 13, 3, 1, 3, 'same'],
  [7, 9, 11, 2, 4, 5, 'same'],
  [3, 8, 3, 4, 3, 1, 'same'],
  [4, 10, 9, 3, 2, 4, 'valid'],
  [2, 7, 7, 3, 3, 2, 1],
  [2, 5, 5, 1, 1, 3, 4],
] as const;

test.each(fewChannels)(
  '%i images of %i×%i×%i → %i filters of %i², %s: the bits of a convolution with more channels',
  async (...row) => {
    const [batch, height, width, channels, filters, taps, pad] = row;
    await tf.setBackend('wasm');
    const x = uniform([batch, height, width, channels], 1) as tf.Tensor4D;
    const filter = uniform([taps, taps, channels, filters], 2) as tf.Tensor4D;
    const bias = uniform([filters], 3) as tf.Tensor1D;
    const wide = 8;
    for (const activation of ['linear', 'relu'] as const) {
      const few = tf.fused.conv2d({ x, filter, strides: 1, pad, bias, activation });
      const more = tf.fused.conv2d({
        ...{ x, strides: 1, pad, activation },
        filter: tf.pad(filter, [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, wide - filters],
        ]),
        bias: tf.pad(bias, [[0, wide - filters]]),
      });
      expect(few.dataSync()).toEqual(more.slice([0, 0, 0, 0], [-1, -1, -1, filters]).dataSync());
    }

    const map = uniform(tf.conv2d(x, filter, 1, pad).shape, 4) as tf.Tensor4D;
    const few = tf.conv2dTranspose(map, filter, [batch, height, width, channels], 1, pad);
    const more = tf.conv2dTranspose(
      map,
      tf.pad(filter, [
        [0, 0],
        [0, 0],
        [0, wide - channels],
        [0, 0],
      ]),
      [batch, height, width, wide],
      1,
      pad,
    );
    const same = more.slice([0, 0, 0, 0], [-1, -1, -1, channels]).dataSync();
    // A map of 4 channels gives an image of fewer by dot products, whose sums have another order.
    if (filters % 4 === 0)
      expect(Math.max(...few.sub(tf.tensor(same, few.shape)).abs().dataSync())).toBeLessThan(1e-5);
    else expect(few.dataSync()).toEqual(same);
  },
);
