import { noClass } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { tryAttack } from '../../src/model/try-attack.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Two pixels. Class 0 where the first is the greater; NaN where the first is below `edge`. */
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

it('an attack that ends where the model answers NaN has changed no decision', async () => {
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
