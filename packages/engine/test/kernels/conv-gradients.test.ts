import * as tf from '@tensorflow/tfjs';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, expect, test } from 'vitest';
import { registerKernels } from '../../src/kernels/register-kernels.ts';

beforeAll(() => {
  setThreadsCount(1);
  registerKernels();
});

test.each([
  [5, 28, 1, 32, 3, 2, 'same'],
  [3, 14, 7, 5, 3, 2, 'same'],
  [2, 9, 3, 4, 5, 3, 'valid'],
  [4, 7, 16, 10, 3, 1, 'same'],
  [1, 6, 2, 3, 2, 2, 'valid'],
] as const)('gradients of a %i images of %i²×%i → %i filters, %i² taps, stride %i, %s', async (...row) => {
  const [batch, size, channels, filters, taps, stride, pad] = row;
  const gradients = async (backend: string) => {
    await tf.setBackend(backend);
    const x = tf.randomUniform<tf.Rank.R4>([batch, size, size, channels], -1, 1, 'float32', 1);
    const w = tf.randomUniform<tf.Rank.R4>([taps, taps, channels, filters], -1, 1, 'float32', 2);
    const loss = (a: tf.Tensor, f: tf.Tensor) =>
      tf
        .conv2d(a as tf.Tensor4D, f as tf.Tensor4D, stride, pad)
        .square()
        .sum() as tf.Scalar;
    const grads = tf.grads(loss)([x, w]);
    return grads.map((g) => g.dataSync());
  };
  const [wasm, cpu] = [await gradients('wasm'), await gradients('cpu')];
  wasm.forEach((values, i) => {
    const scale = Math.max(...cpu[i]!.map(Math.abs));
    const worst = Math.max(...values.map((value, j) => Math.abs(value - cpu[i]![j]!)));
    expect(worst).toBeLessThan(1e-5 * scale);
  });
});
