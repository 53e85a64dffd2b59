/** Images that are read by rows: the same results as from memory, and few images at a time. */
import { attackNames } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, diagnose, evaluateAttack, evaluateAttackOnRows } from '../src/index.ts';
import { shortAttacks } from './helpers/short-attacks.ts';
import { type Tiny, tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

const count = 40;
const width = 64;
const batchSize = 3;
let target: Tiny;
let other: Tiny;
let given: ReturnType<typeof tinyImages>;

beforeAll(async () => {
  await useWasm();
  target = tinyNetwork(1);
  other = tinyNetwork(2);
  given = tinyImages(target.model, count);
  given.labels[0] = (given.labels[0]! + 1) % 5; // the model misclassifies one clean image
});
afterAll(() => {
  target.dispose();
  other.dispose();
});

/** The images by rows. `most`: the images of the largest reading. */
const byRows = (images: Float32Array) => {
  let most = 0;
  return {
    most: () => most,
    images: {
      count: images.length / width,
      read: (rows: Int32Array): Float32Array => {
        most = Math.max(most, rows.length);
        return Float32Array.from({ length: rows.length * width }, (_, at) => {
          const row = rows[Math.floor(at / width)]!;
          return images[row * width + (at % width)]!;
        });
      },
    },
  };
};

describe.each(attackNames)('%s', (name) => {
  it('finds the same as on images in memory, and reads at most eight batches at a time', async () => {
    const options = {
      model: target.model,
      labels: given.labels,
      attack: shortAttacks[name],
      seed: 7,
      batchSize,
      resources: { encoder: target.encoder, surrogates: [other.model] },
    };
    const { adversarials, ...expected } = await evaluateAttack({ ...options, images: given.images });
    const rows = byRows(given.images);
    const found = given.images.slice();
    const tensors = tf.memory().numTensors;
    const result = await evaluateAttackOnRows({
      ...options,
      images: rows.images,
      onAdversarial: (row, pixels) => found.set(pixels, row * width),
    });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(result).toEqual(expected);
    expect(found).toEqual(adversarials);
    expect(rows.most()).toBeLessThanOrEqual(8 * batchSize);
  });
});

it('a model with other bounds gets and gives pixels within them', async () => {
  const model: ClassifierModel = {
    ...target.model,
    bounds: [-1, 1],
    logits: (images) => target.model.logits(images.add(1).div(2)),
  };
  const images = given.images.map((value) => 2 * value - 1);
  const options = { model, labels: given.labels, attack: shortAttacks['pgd-linf'] };
  const { adversarials } = await evaluateAttack({ ...options, images });
  const found = new Map<number, Float32Array>();
  await evaluateAttackOnRows({
    ...options,
    images: byRows(images).images,
    onAdversarial: (row, pixels) => found.set(row, pixels.slice()),
  });
  expect(found.size).toBeGreaterThan(0);
  for (const [row, pixels] of found)
    expect(pixels).toEqual(adversarials.slice(row * width, (row + 1) * width));
});

it('a diagnosis reads only as many images as it needs, and finds the same', async () => {
  const options = { model: target.model, labels: given.labels, limit: 5, batchSize };
  const rows = byRows(given.images);
  const report = await diagnose({ ...options, images: rows.images });
  expect(report).toEqual(await diagnose({ ...options, images: given.images }));
  expect(rows.most()).toBe(5);
});

it.each([
  ['values of another number', () => new Float32Array(5), /Float32Array of 128 values for 2 images.* of 5/],
  ['a list', () => [0.5], /Float32Array of 128 values .* got Array of 1/],
  ['a pixel out of bounds', () => new Float32Array(128).fill(0.5).fill(3, 64), /got 3 in image 1/],
])('%s: refused', async (_, read, message) => {
  const images = { count: 2, read: read as () => Float32Array };
  const run = evaluateAttackOnRows({ model: target.model, images, labels: [0, 1], attack: 'fgsm' });
  await expect(run).rejects.toMatchObject({
    code: 'ATTACK_INPUT',
    message: expect.stringMatching(message),
  });
});

it('a number of images that is none: refused', async () => {
  const images = { count: Number.NaN, read: () => new Float32Array(0) };
  await expect(
    evaluateAttackOnRows({ model: target.model, images, labels: [], attack: 'fgsm' }),
  ).rejects.toThrow(/images\.count/);
});
