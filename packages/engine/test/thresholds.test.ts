import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { areaUnderCurve, holdOut, magnetSuspicion, marksOf, thresholdOf } from '../src/classifier.ts';
import { glyphs } from '../src/datasets/glyphs.ts';
import type { Network } from '../src/models/network.ts';

describe('thresholdOf', () => {
  const marks = Float32Array.from({ length: 20 }, (_, i) => (i * 7) % 20); // 0 … 19, shuffled

  it.each([
    [0.05, 19],
    [0.1, 18],
    [0.149, 18],
    [0.5, 10],
  ])('at a rate of %f is %f', (rate, expected) => {
    const threshold = thresholdOf(marks, rate);
    expect(threshold).toBe(expected);
    expect(marks.filter((mark) => mark >= threshold).length).toBe(Math.floor(20 * rate));
  });

  it.each([[marks], [Float32Array.of(-3)], [Float32Array.of(0, 0)]])('rejects none of %j at 0', (values) => {
    const threshold = thresholdOf(values, 0);
    expect(values.every((mark) => mark < Math.fround(threshold))).toBe(true);
    expect(threshold).toBeCloseTo(Math.max(...values), 4);
  });
});

it('holds out the first twelfth, and trains on what is left', () => {
  const train = glyphs('train', 25);
  const { held, rest } = holdOut(train);
  expect([held.count, rest.count]).toEqual([3, 22]);
  expect(Buffer.concat([held.images, rest.images]).equals(train.images)).toBe(true);
  expect([...held.labels, ...rest.labels]).toEqual([...train.labels]);
});

describe('areaUnderCurve', () => {
  it.each([
    [[1, 2], [3, 4], 1],
    [[3, 4], [1, 2], 0],
    [[1, 3], [2, 3], (1 + 0 + 1 + 0.5) / 4],
    [[5], [5, 5], 0.5],
  ])('of %j below %j is %f', (clean, perturbed, expected) => {
    expect(areaUnderCurve(Float32Array.from(clean), Float32Array.from(perturbed))).toBe(expected);
  });
});

describe('MagNet', () => {
  beforeAll(async () => void (await openBackend('cpu')));

  it('marks an image by its distance from what the auto-encoders make of it, and rejects at a threshold', () => {
    // Auto-encoders that answer 0: an image of [a, b] has the marks (a² + b²)/2 and (|a| + |b|)/2.
    const blank = { apply: (x: tf.Tensor) => tf.zerosLike(x) } as Network;
    const marks = marksOf(blank, blank);
    const images = tf.tensor2d([
      [0, 1],
      [0.5, 0.5],
      [0.25, 0],
    ]);
    expect([...marks[0](images).dataSync()]).toEqual([0.5, 0.25, 0.03125]);
    expect([...marks[1](images).dataSync()]).toEqual([0.5, 0.5, 0.125]);
    const suspicion = [...magnetSuspicion(marks, [1, 0.5])(images).dataSync()];
    expect(suspicion).toEqual([0, 0, -0.75]); // at the threshold is rejected
    expect([...magnetSuspicion(marks, [0.125, 1])(images).dataSync()]).toEqual([3, 1, -0.75]);
  });
});
