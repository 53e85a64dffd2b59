/** H13 (`gradient-is-wrong`) on networks with right gradients, with and without kinks, and on functions with wrong gradients. */

import { correctMaxPoolGradient } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientIsShattered, gradientIsWrong } from '../src/diagnostics/gradient-checks.ts';
import { createFlatModel } from '../src/flat-model.ts';
import { type ClassifierModel, classifierModel } from '../src/index.ts';
import { createRandom } from '../src/random.ts';
import { loadClassifier, loadImages, loadOracle, oracleNames } from './helpers/oracle.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(async () => {
  await useWasm();
  correctMaxPoolGradient();
});

const check = async (
  classifier: ClassifierModel,
  { images, labels }: { readonly images: Float32Array; readonly labels: Int32Array },
  run = gradientIsWrong,
) => {
  const model = createFlatModel(classifier);
  const x = tf.tensor2d(images, [labels.length, model.width]);
  const [found] = await run({
    model,
    images: x,
    values: images,
    labels,
    budgets: { linf: 0.1, l2: 1 },
    evaluate: () => Promise.reject(new Error('Expected no attack')),
    hasSurrogates: false,
    random: (...path) => createRandom(0, 'diagnostics', ...path),
  });
  x.dispose();
  return found!;
};

/** The model after a change of its input. `value` is the change; `gradient` is its declared gradient, right or wrong. */
const behind = (
  { logits, shape, classes }: ClassifierModel,
  value: (x: tf.Tensor) => tf.Tensor,
  gradient: (dy: tf.Tensor) => tf.Tensor,
): ClassifierModel => {
  const change = tf.customGrad((x) => ({
    value: value(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => gradient(dy),
  }));
  return classifierModel((images) => logits(change(images)), { shape, classes });
};

const identity = (x: tf.Tensor): tf.Tensor => x.clone();

describe('on a small network', () => {
  it('accepts right gradients', async () => {
    const { model } = tinyNetwork(1);
    const found = await check(model, tinyImages(model, 20));
    expect(found.verdict).toBe('ok');
    expect(found.value).toBeLessThan(0.005);
  });

  it.each([
    ['turned around', identity, (dy: tf.Tensor) => dy.neg(), 'masked'],
    ['zero', identity, (dy: tf.Tensor) => tf.zerosLike(dy), 'masked'],
    ['a tenth too long', identity, (dy: tf.Tensor) => dy.mul(1.1), 'suspect'],
    ['passed straight through a rounding', (x: tf.Tensor) => x.mul(8).round().div(8), identity, 'masked'],
  ] as const)('flags gradients that are %s', async (_, value, gradient, verdict) => {
    const { model } = tinyNetwork(1);
    const found = await check(behind(model, value, gradient), tinyImages(model, 20));
    expect(found).toMatchObject({ id: 'H13', verdict });
  });

  it('flags a gradient that is not a number where a pixel is black', async () => {
    const { model } = tinyNetwork(1);
    const root = classifierModel((x) => model.logits(tf.sqrt(tf.mul(x, x))), { shape: model.shape });
    const found = await check(root, tinyImages(model, 20)); // three of ten pixels are black
    expect(found).toMatchObject({ id: 'H13', verdict: 'masked', value: 1 });
    expect(found.detail).toMatch(/not a number at 20 of 20 images/);
    const shattered = await check(root, tinyImages(model, 20), gradientIsShattered);
    expect(shattered).toMatchObject({ id: 'H20', verdict: 'suspect', value: 0 });
  });

  it('accepts kinks: ReLUs whose inputs are nearly zero on black images', async () => {
    const random = createRandom(4, 'kinks');
    const draw = (rows: number, columns: number) =>
      tf.tensor2d(
        Float32Array.from({ length: rows * columns }, () => random.normal()),
        [rows, columns],
      );
    const [w1, w2] = [draw(64, 32), draw(32, 5)];
    const bias = tf.randomUniform([32], -1e-4, 1e-4, 'float32', 1);
    const kinked = classifierModel(
      (images) => tf.relu(tf.matMul(images.reshape<tf.Tensor2D>([-1, 64]), w1).add(bias)).matMul(w2),
      { shape: [8, 8, 1] },
    );
    const images = new Float32Array(20 * 64);
    const labels = await tf.argMax(kinked.logits(tf.zeros([20, 8, 8, 1])), 1).data<'int32'>();
    const found = await check(kinked, { images, labels: Int32Array.from(labels) });
    expect(found.value).toBeLessThan(0.02);
  });
});

describe.each(oracleNames)('on %s', (name) => {
  it('accepts the gradients of an honest network, far from the threshold', async () => {
    const { indices } = loadOracle(name);
    const found = await check(await loadClassifier(name), loadImages(name, indices.slice(0, 20)));
    expect(found.verdict).toBe('ok');
    expect(found.value).toBeLessThan(0.015);
  });
});
