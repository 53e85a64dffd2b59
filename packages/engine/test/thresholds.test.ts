import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { areaUnderCurve, holdOut, magnetScores, magnetSuspicion, thresholdOf } from '../src/classifier.ts';
import { glyphs } from '../src/datasets/glyphs.ts';
import { range } from '../src/datasets/split.ts';
import type { Network } from '../src/models/network.ts';

describe('thresholdOf', () => {
  const scores = Float32Array.from({ length: 20 }, (_, i) => (i * 7) % 20); // 0 … 19, shuffled

  it.each([
    [0.05, 19],
    [0.1, 18],
    [0.149, 18],
    [0.5, 10],
  ])('at a rate of %f is %f', (rate, expected) => {
    const threshold = thresholdOf(scores, rate);
    expect(threshold).toBe(expected);
    expect(scores.filter((score) => score >= threshold).length).toBe(Math.floor(20 * rate));
  });

  it.each([[scores], [Float32Array.of(-3)], [Float32Array.of(0, 0)]])(
    'rejects no score of %j at a rate of 0',
    (values) => {
      const threshold = thresholdOf(values, 0);
      expect(values.every((score) => score < Math.fround(threshold))).toBe(true);
      expect(threshold).toBeCloseTo(Math.max(...values), 4);
    },
  );
});

it('holds out the first twelfth and leaves the rest to train on', () => {
  const train = glyphs('train', 25);
  const { heldOut, rest } = holdOut(train);
  expect([heldOut.count, rest.count]).toEqual([3, 22]);
  const all = Buffer.concat([heldOut.read(range(0, 3)), rest.read(range(0, 22))]);
  expect(all.equals(train.read(range(0, 25)))).toBe(true);
  expect([...heldOut.labels, ...rest.labels]).toEqual([...train.labels]);
});

describe('areaUnderCurve', () => {
  it.each([
    [[1, 2], [3, 4], 1],
    [[3, 4], [1, 2], 0],
    [[1, 3], [2, 3], (1 + 0 + 1 + 0.5) / 4],
    [[5], [5, 5], 0.5],
  ])('of clean scores %j and perturbed scores %j is %f', (clean, perturbed, expected) => {
    expect(areaUnderCurve(Float32Array.from(clean), Float32Array.from(perturbed))).toBe(expected);
  });
});

describe('MagNet', () => {
  beforeAll(async () => void (await openBackend('cpu')));

  it('scores an image by its reconstruction error, and rejects it at or above the threshold', () => {
    // Auto-encoders that answer 0: an image of [a, b] has the scores (a² + b²)/2 and (|a| + |b|)/2.
    const blank = { apply: (x: tf.Tensor) => tf.zerosLike(x) } as Network;
    const scores = magnetScores(blank, blank);
    const images = tf.tensor2d([
      [0, 1],
      [0.5, 0.5],
      [0.25, 0],
    ]);
    expect([...scores[0](images).dataSync()]).toEqual([0.5, 0.25, 0.03125]);
    expect([...scores[1](images).dataSync()]).toEqual([0.5, 0.5, 0.125]);
    const suspicion = [...magnetSuspicion(scores, [1, 0.5])(images).dataSync()];
    expect(suspicion).toEqual([0, 0, -0.75]); // a score at the threshold is rejected
    expect([...magnetSuspicion(scores, [0.125, 1])(images).dataSync()]).toEqual([3, 1, -0.75]);
  });
});
