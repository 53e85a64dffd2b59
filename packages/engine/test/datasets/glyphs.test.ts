import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { glyphs } from '../../src/datasets/glyphs.ts';
import { gatherImages } from '../../src/datasets/split.ts';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const size = 28 * 28;

describe('glyphs', () => {
  it('have not changed: stage identities name them glyphs-1', () => {
    const { images, labels } = glyphs('train', 100);
    expect([digest(images), digest(labels)].map((hash) => hash.slice(0, 16))).toEqual([
      'efc930e318763096',
      '28eadf1145d4a7bf',
    ]);
  });

  it('depend only on split and index, so that a smaller data set is part of a larger one', () => {
    const [few, many] = [glyphs('test', 7), glyphs('test', 25)];
    expect(many.images.subarray(0, 7 * size)).toEqual(few.images);
    expect(many.labels.subarray(0, 7)).toEqual(few.labels);
    expect(digest(glyphs('train', 7).images)).not.toBe(digest(few.images));
  });

  it('have every digit once in ten consecutive images', () => {
    const { labels } = glyphs('train', 200);
    for (let from = 0; from < 200; from += 10)
      expect([...labels.subarray(from, from + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('lie inside the picture, are light on dark, and differ', () => {
    const { images, count } = glyphs('train', 100);
    const pictures = Array.from({ length: count }, (_, i) => images.subarray(i * size, (i + 1) * size));
    expect(new Set(pictures.map(digest)).size).toBe(count);
    for (const picture of pictures) {
      const ink = picture.reduce((a, b) => a + b, 0) / (255 * size);
      expect(ink).toBeGreaterThan(0.02);
      expect(ink).toBeLessThan(0.4);
      const border = picture.filter((_, p) => p % 28 === 0 || p % 28 === 27 || p < 28 || p >= 27 * 28);
      expect(border.filter((byte) => byte > 0).length).toBeLessThan(border.length / 4);
    }
  });

  it('are neither too hard nor too easy: a linear classifier trained on 2,000 classifies most of the test images correctly, not all', async () => {
    await openBackend('wasm');
    const [train, test] = [glyphs('train', 2000), glyphs('test', 1000)];
    const rows = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
    const tensor = (split: typeof train) =>
      tf.tensor2d(gatherImages(split, rows(split.count)), [split.count, size]);
    const [x, xTest] = [tensor(train), tensor(test)];
    const y = tf.oneHot(tf.tensor1d([...train.labels], 'int32'), 10).toFloat();
    const [w, b] = [tf.variable(tf.zeros([size, 10])), tf.variable(tf.zeros([10]))];
    const adam = tf.train.adam(0.02);
    const logits = (images: tf.Tensor2D) => images.matMul(w as tf.Tensor2D).add(b);
    for (let i = 0; i < 60; i++)
      adam.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)) as tf.Scalar);
    const predicted = await tf.argMax(logits(xTest), 1).data();
    const accuracy = test.labels.filter((label, i) => predicted[i] === label).length / test.count;
    expect(accuracy).toBeGreaterThan(0.8);
    expect(accuracy).toBeLessThan(0.97);
  });
});
