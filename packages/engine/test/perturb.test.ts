import { defaultHyperparameters } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { softmaxCrossEntropy } from '../src/losses.ts';
import { encoder } from '../src/models/auto-encoders.ts';
import { createNetwork, initialWeights } from '../src/models/network.ts';
import { perturb, warmedUpEpsilon } from '../src/perturb.ts';
import { createRandom, uniformNoise } from '../src/random.ts';

beforeAll(async () => void (await openBackend('cpu')));

const shape = [4, 8, 8, 1];
const drawn = (name: string): Float32Array => uniformNoise(createRandom(name), 256).map((v) => (v + 1) / 2);
const images = () => tf.tensor(drawn('images'), shape);

describe('perturb', () => {
  it('reaches the corner of the ball in the direction of a linear loss, clipped to [0, 1]', () => {
    const weights = drawn('weights').map((v) => v - 0.5);
    const attack = { epsilon: 0.2, steps: 5, pathLength: 2.5 };
    const x = drawn('images');
    const reached = tf.tidy(() =>
      perturb(images(), images(), attack, (at) => tf.sum(tf.mul(at, tf.tensor(weights, shape)))).dataSync(),
    );
    for (const [i, value] of reached.entries())
      expect(value).toBeCloseTo(Math.min(1, Math.max(0, x[i]! + 0.2 * Math.sign(weights[i]!))), 6);
  });

  it('ends inside the ball when it starts outside, and raises the loss of a network', async () => {
    const architecture = encoder([8, 8, 1], {
      ...defaultHyperparameters,
      filters: '4',
      latent: 10,
    });
    const network = createNetwork(architecture, initialWeights(architecture, 'heNormal', createRandom('w')));
    const targets = tf.oneHot(tf.tensor1d([1, 5, 0, 3], 'int32'), 10).toFloat() as tf.Tensor2D;
    const loss = (x: tf.Tensor) => softmaxCrossEntropy(network.apply(x) as tf.Tensor2D, targets);
    const far = tf.add(images(), tf.sub(tf.tensor(drawn('start'), shape), 0.5));
    let before = loss(images()).dataSync()[0]!;
    for (const steps of [1, 3, 10]) {
      const tensors = tf.memory().numTensors;
      const attacked = tf.tidy(() => perturb(images(), far, { epsilon: 0.1, steps, pathLength: 2.5 }, loss));
      expect(tf.memory().numTensors).toBe(tensors + 1);
      expect(tf.max(tf.abs(tf.sub(attacked, images()))).dataSync()[0]).toBeLessThanOrEqual(0.1 + 1e-6);
      expect(tf.min(attacked).dataSync()[0]).toBeGreaterThanOrEqual(0);
      expect(tf.max(attacked).dataSync()[0]).toBeLessThanOrEqual(1);
      const raised = loss(attacked).dataSync()[0]!;
      if (steps > 1) expect(raised).toBeGreaterThan(before);
      before = Math.max(before, raised);
    }
    network.dispose();
  });
});

describe('warmedUpEpsilon', () => {
  it.each([
    [1, 10, 0.03],
    [5, 10, 0.15],
    [10, 10, 0.3],
    [11, 10, 0.3],
    [1, 0, 0.3],
  ])('at update %i of %i is %f', (update, warmup, expected) => {
    expect(warmedUpEpsilon(0.3, update, warmup)).toBeCloseTo(expected, 12);
  });
});
