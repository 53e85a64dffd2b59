import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { adamStep } from '../src/adam-step.ts';
import { expectClose, onBoth, openBackend } from './compare.ts';

beforeAll(async () => {
  await openBackend('cpu');
  await openBackend('wasm');
});

const rates = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const uniform = (size: number, seed: number) => tf.randomUniform([size], -1, 1, 'float32', seed);

/** Weight and moments after some steps. */
function run(size: number, steps: readonly number[]): tf.Tensor[] {
  const [weight, first, second] = [uniform(size, 1), tf.zeros([size]), tf.zeros([size])].map((tensor) =>
    tf.variable(tensor),
  );
  for (const t of steps) {
    const rate = (0.01 * Math.sqrt(1 - rates.beta2 ** t)) / (1 - rates.beta1 ** t);
    adamStep(weight!, uniform(size, 10 + t), [first!, second!], { ...rates, rate });
  }
  return [weight!, first!, second!];
}

test.each([1, 3, 4, 7, 1000])('%i weights: the same as a composition of tfjs ops', async (size) => {
  expectClose(await onBoth(() => run(size, [1, 2, 3])), 1e-6);
});

test('the same as tf.train.adam', async () => {
  await tf.setBackend('wasm');
  const optimizer = tf.train.adam(0.01);
  const weight = tf.variable(uniform(9, 1));
  for (const t of [1, 2, 3]) optimizer.applyGradients([{ name: weight.name, tensor: uniform(9, 10 + t) }]);
  const ours = run(9, [1, 2, 3])[0]!.dataSync();
  for (const [i, value] of weight.dataSync().entries()) expect(ours[i]).toBeCloseTo(value, 5);
});

test('clones of a weight, and its neighbours in memory, do not change', async () => {
  await tf.setBackend('wasm');
  const tensors = [1, 2, 3].map((seed) => tf.variable(uniform(5, seed)));
  const before = tensors.map((tensor) => tensor.dataSync().slice());
  const copy = tensors[1]!.clone();
  const moments = [tf.variable(tf.zeros([5])), tf.variable(tf.zeros([5]))] as const;
  const count = tf.memory().numTensors;
  tf.tidy(() => adamStep(tensors[1]!, tf.ones([5]), moments, { ...rates, rate: 0.01 }));
  expect(tf.memory().numTensors).toBe(count);
  expect(copy.dataSync()).toEqual(before[1]);
  expect(tensors[1]!.dataSync()).not.toEqual(before[1]);
  expect([tensors[0]!.dataSync(), tensors[2]!.dataSync()]).toEqual([before[0], before[2]]);
});
