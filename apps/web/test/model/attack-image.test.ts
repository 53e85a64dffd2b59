import { noClass } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { attackImage, tryAttack } from '../../src/model/attack-image.ts';

/** logits = x · W for an image of four pixels and two classes, so the gradient is known. */
const weights = [
  [1, -1],
  [-2, 2],
  [0.5, -0.5],
  [0, 0],
];
const logits = (images: tf.Tensor4D): tf.Tensor2D =>
  tf.matMul(images.reshape<tf.Tensor2D>([-1, 4]), tf.tensor2d(weights));
const start = [0.5, 0.5, 0.5, 0.5];
/** The direction in which the loss of class 0 grows: the logits of class 1 minus those of class 0. */
const slope = weights.map(([a, b]) => b! - a!);

const attack = (choice: Parameters<typeof attackImage>[3], from = start): number[] =>
  tf.tidy(() => [...attackImage(logits, tf.tensor4d(from, [1, 2, 2, 1]), 0, choice).dataSync()]);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('an attack on a linear model', () => {
  it('FGSM moves every pixel that matters by ε along the sign', () => {
    const moved = attack({ norm: 'linf', epsilon: 0.1, steps: 1 });
    for (const [i, value] of moved.entries()) expect(value).toBeCloseTo(0.5 + 0.1 * Math.sign(slope[i]!), 6);
  });

  it('in L2 moves by ε along the gradient, in one step or in twenty', () => {
    const length = Math.hypot(...slope);
    for (const steps of [1, 20]) {
      const moved = attack({ norm: 'l2', epsilon: 0.3, steps });
      for (const [i, value] of moved.entries())
        expect(value).toBeCloseTo(0.5 + (0.3 * slope[i]!) / length, 5);
    }
  });

  it('PGD reaches the corner of the ball and does not leave the ball', () => {
    const moved = attack({ norm: 'linf', epsilon: 0.05, steps: 20 });
    for (const [i, value] of moved.entries()) expect(value).toBeCloseTo(0.5 + 0.05 * Math.sign(slope[i]!), 6);
  });

  it('never leaves the range of pixels', () => {
    for (const value of attack({ norm: 'linf', epsilon: 0.9, steps: 5 })) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
  });

  it('with ε = 0 leaves the image as it is', () => {
    expect(attack({ norm: 'l2', epsilon: 0, steps: 20 })).toEqual(start);
  });

  it('disposes all of its tensors', () => {
    const image = tf.tensor4d(start, [1, 2, 2, 1]);
    const before = tf.memory().numTensors;
    attackImage(logits, image, 0, { norm: 'linf', epsilon: 0.1, steps: 3 }).dispose();
    expect(tf.memory().numTensors).toBe(before);
    image.dispose();
  });
});

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A model of two pixels. Class 0 if the first is larger; NaN if the first is below `edge`. */
const modelOf = (edge: number) => ({
  logits: (images: tf.Tensor4D): tf.Tensor2D => {
    const [first, second] = tf.split(images.reshape<tf.Tensor2D>([-1, 2]), 2, 1);
    const silent = tf.sqrt(tf.sub(first!, edge)).mul(0);
    return tf.concat([tf.add(first!, silent), tf.add(second!, silent)], 1) as tf.Tensor2D;
  },
  reconstruct: null,
  backend: 'cpu',
  dispose: () => {},
});

const pixels = Float32Array.of(0.75, 0.25);
const choice = { norm: 'linf', epsilon: 0.375, steps: 1 } as const;

it('an attack that ends at an output of NaN has not changed the decision', async () => {
  const { clean, attacked } = await tryAttack(modelOf(0.5), pixels, [1, 2, 1], choice);
  expect([clean.label, attacked.label]).toEqual([0, noClass]);
  const fooled = await tryAttack(modelOf(0), pixels, [1, 2, 1], choice);
  expect([fooled.clean.label, fooled.attacked.label]).toEqual([0, 1]);
});

it('an image without a class is not attacked', async () => {
  const { clean, attacked } = await tryAttack(modelOf(1), pixels, [1, 2, 1], choice);
  expect([clean.label, attacked.label]).toEqual([noClass, noClass]);
  expect([...attacked.pixels]).toEqual([...pixels]);
});
