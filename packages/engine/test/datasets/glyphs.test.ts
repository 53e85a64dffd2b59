import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { colourGlyphs, glyphs } from '../../src/datasets/glyphs.ts';
import { gatherImages, range, type Split } from '../../src/datasets/split.ts';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const size = 28 * 28;
/** All images of a split, bytes. */
const imagesOf = (split: Split): Uint8Array => split.read(range(0, split.count));

describe('glyphs', () => {
  it('have not changed: stage identities name them glyphs-1', () => {
    const split = glyphs('train', 100);
    expect(
      [digest(imagesOf(split)), digest(Uint8Array.from(split.labels))].map((hash) => hash.slice(0, 16)),
    ).toEqual(['efc930e318763096', '28eadf1145d4a7bf']);
  });

  it('depend only on split and index, so that a smaller data set is part of a larger one', () => {
    const [few, many] = [glyphs('test', 7), glyphs('test', 25)];
    expect(many.read(range(0, 7))).toEqual(imagesOf(few));
    expect(many.labels.subarray(0, 7)).toEqual(few.labels);
    expect(digest(imagesOf(glyphs('train', 7)))).not.toBe(digest(imagesOf(few)));
  });

  it('have every digit once in ten consecutive images', () => {
    const { labels } = glyphs('train', 200);
    for (let from = 0; from < 200; from += 10)
      expect([...labels.subarray(from, from + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('lie inside the picture, are light on dark, and differ', () => {
    const split = glyphs('train', 100);
    const pictures = Array.from({ length: 100 }, (_, i) => split.read([i]));
    expect(new Set(pictures.map(digest)).size).toBe(100);
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

describe('coloured glyphs', () => {
  const channel = (picture: Uint8Array, c: number) => picture.filter((_, p) => p % 3 === c);

  it('are 32×32×3, depend only on split and index, and have every digit once in ten consecutive images', () => {
    const [few, many] = [colourGlyphs('train', 10), colourGlyphs('train', 20)];
    expect(few.shape).toEqual([32, 32, 3]);
    expect(many.read(range(0, 10))).toEqual(imagesOf(few));
    for (const from of [0, 10])
      expect([...many.labels.subarray(from, from + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('have colours, and a digit that stands out from its paper', () => {
    const split = colourGlyphs('test', 50);
    for (let i = 0; i < split.count; i++) {
      const picture = split.read([i]);
      const [red, green, blue] = [0, 1, 2].map((c) => channel(picture, c));
      expect([digest(red!), digest(green!)]).not.toEqual([digest(green!), digest(blue!)]);
      // Of the paper alone, neighbours in a row differ by shading; the edge of the digit makes a step.
      const luminance = red!.map((r, p) => 0.2126 * r + 0.7152 * green![p]! + 0.0722 * blue![p]!);
      expect(Math.max(...luminance) - Math.min(...luminance)).toBeGreaterThan(
        0.8 * 0.35 * 255 - 2 * 0.12 * 255,
      );
    }
  });
});
