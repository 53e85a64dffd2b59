import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { BackendWrong } from '../../src/backends/backend.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { runSelfTest } from '../../src/backends/self-test.ts';

/** Replaces a kernel of the cpu backend for the rest of this file. */
function replaceKernel(name: string, change: (kernel: tf.KernelFunc) => tf.KernelFunc): void {
  const { kernelFunc, ...config } = tf.getKernel(name, 'cpu');
  tf.unregisterKernel(name, 'cpu');
  tf.registerKernel({ ...config, kernelFunc: change(kernelFunc) });
}

test('a backend that computes a wrong result is refused, and the error names the operation', async () => {
  replaceKernel('Conv2DBackpropFilter', (kernel) => (call) => {
    const right = kernel(call) as tf.TensorInfo;
    return tf.tidy(() => tf.mul(tf.engine().makeTensorFromTensorInfo(right), 1.001));
  });
  const opening = openBackend('cpu');
  await expect(opening).rejects.toThrow(BackendWrong);
  await expect(opening).rejects.toThrow(
    /cpu on JavaScript, one thread computes gradient of conv filter wrongly: .*1\.0e-3/,
  );
});

test('a backend that lacks an operation is refused', async () => {
  replaceKernel('Conv2DBackpropInput', () => () => {
    throw new Error('not implemented');
  });
  const { passed, worst } = await runSelfTest();
  expect(passed).toBe(false);
  expect(worst).toMatchObject({ name: 'conv2dTranspose with (1 + tanh)/2', message: 'not implemented' });
});
