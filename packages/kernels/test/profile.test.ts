import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { formatProfile, profileKernels } from '../src/profile.ts';
import { openBackend } from './compare.ts';

test('counts every kernel, has times that add up, and restores the kernels', async () => {
  await openBackend('cpu');
  const before = tf.getKernel('Square', 'cpu').kernelFunc;
  const { result, profile } = await profileKernels(() =>
    tf.tidy(() => tf.tensor1d([1, 2, 3]).square().square().sum().dataSync()[0]),
  );
  expect(result).toBe(98);
  expect(profile.backend).toBe('cpu');
  const calls = Object.fromEntries(profile.kernels.map(({ kernel, calls }) => [kernel, calls]));
  expect(calls).toMatchObject({ Square: 2, Sum: 1 });
  const inside = profile.kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  expect(inside + profile.outsideMilliseconds).toBeCloseTo(profile.milliseconds, 6);
  expect(profile.outsideMilliseconds).toBeGreaterThan(0);
  expect(tf.getKernel('Square', 'cpu').kernelFunc).toBe(before);
  expect(formatProfile(profile, 2)).toMatch(/^One step on cpu: [\d.]+ ms\n(.*\n)+\(outside of kernels\)/);
});

test('restores the kernels when the function throws', async () => {
  await openBackend('cpu');
  const before = tf.getKernel('Square', 'cpu').kernelFunc;
  await expect(
    profileKernels(() => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(tf.getKernel('Square', 'cpu').kernelFunc).toBe(before);
});
