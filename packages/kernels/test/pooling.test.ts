import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { correctOperators } from '../src/index.ts';
import { openBackend } from './compare.ts';

beforeAll(async () => {
  await openBackend('wasm');
  correctOperators();
});

const shape = [3, 7, 9, 8] as const;
/** Values with ties, negative values, NaN and −∞, [3, 7, 9, 8]. The first images are mostly of the rare values. */
const values = Float32Array.from({ length: 3 * 7 * 9 * 8 }, (_, i) => {
  const draw = (Math.imul(i + 1, 2654435761) >>> 20) % (i < 700 ? 6 : 40);
  return draw === 0 ? Number.NaN : draw < 3 ? Number.NEGATIVE_INFINITY : draw < 4 ? -0 : (draw % 7) - 5;
});

/** The gradient with respect to the first `channels` channels. Eight channels take the kernel, seven the loop in JavaScript. */
const gradientOf = (channels: number, size: [number, number]): Float32Array =>
  tf.tidy(() => {
    const x = tf.tensor4d(values, [...shape]).slice([0, 0, 0, 0], [-1, -1, -1, channels]) as tf.Tensor4D;
    const pooled = tf.maxPool(x, size, size, 'valid');
    const count = pooled.size / channels;
    const upstream = tf
      .range(1, count + 1)
      .reshape([...pooled.shape.slice(0, 3), 1])
      .add(tf.zerosLike(pooled)); // the same for all channels
    return tf
      .grad((image) => tf.maxPool(image as tf.Tensor4D, size, size, 'valid'))(x, upstream)
      .slice([0, 0, 0, 0], [-1, -1, -1, 7])
      .dataSync<'float32'>()
      .slice();
  });

test.each([
  [2, 2],
  [3, 2],
  [2, 3],
  [1, 4],
] as [number, number][])(
  'the gradient of maximum pooling over %i×%i has the same bits in the kernel and in the loop',
  (...size) => {
    const fast = gradientOf(8, size);
    expect(fast).toEqual(gradientOf(7, size));
    expect(fast.some((value) => value > 0)).toBe(true);
  },
);
