/**
 * A PyTorch model, built again by hand from its state dict, takes channels first and gives the logits and gradients of PyTorch.
 * `fixtures/make-torch-model.py` wrote both.
 */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { classifierModel } from '../src/index.ts';
import { useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

const read = (file: string) =>
  JSON.parse(readFileSync(new URL(`../../../fixtures/models/torch-conv/${file}`, import.meta.url), 'utf8'));

type StateDict = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
>;
const state: StateDict = read('state-dict.json');
const expected: { readonly logits: readonly (readonly number[])[]; readonly gradient: readonly number[] } =
  read('expected.json');

const weight = (name: string): tf.Tensor => tf.tensor([...state[name]!.values], [...state[name]!.shape]);
/** [out, in, h, w] → [h, w, in, out]. */
const kernel = (name: string): tf.Tensor => tf.transpose(weight(name), [2, 3, 1, 0]);

const build = (): tf.LayersModel => {
  const { layers } = tf;
  return tf.sequential({
    layers: [
      layers.permute({ dims: [2, 3, 1], inputShape: [3, 8, 8] }),
      // padding=1 in PyTorch pads both sides. With strides, `same` in TensorFlow pads otherwise.
      layers.zeroPadding2d({ padding: 1 }),
      layers.conv2d({
        filters: 4,
        kernelSize: 3,
        strides: 2,
        activation: 'relu',
        weights: [kernel('0.weight'), weight('0.bias')],
      }),
      layers.batchNormalization({
        epsilon: 1e-5,
        weights: ['weight', 'bias', 'running_mean', 'running_var'].map((name) => weight(`2.${name}`)),
      }),
      layers.conv2d({
        filters: 6,
        kernelSize: 3,
        activation: 'relu',
        weights: [kernel('3.weight'), weight('3.bias')],
      }),
      // PyTorch flattens channels first.
      layers.permute({ dims: [3, 1, 2] }),
      layers.flatten(),
      layers.dense({
        units: 5,
        weights: [tf.transpose(weight('6.weight')), weight('6.bias')],
      }),
    ],
  });
};

/** The images that PyTorch got, as everything here sees them: [3, 8, 8, 3]. */
const images = (): tf.Tensor => {
  const values = Float32Array.from({ length: 3 * 3 * 8 * 8 }, (_, k) => 0.5 + 0.5 * Math.sin(0.1 * k ** 2));
  return tf.transpose(tf.tensor(values, [3, 3, 8, 8]), [0, 2, 3, 1]);
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

it('gives the logits and the gradient of PyTorch', () => {
  const model = classifierModel(build());
  expect(model.shape).toEqual([8, 8, 3]);
  const logits = model.logits(images());
  expect(logits.shape).toEqual([3, 5]);
  expect(largestDifference(logits.dataSync(), expected.logits.flat())).toBeLessThan(1e-4);
  const weighted = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(model.logits(x), tf.range(1, 6)));
  const gradient = tf.transpose(tf.grad(weighted)(images()), [0, 3, 1, 2]).dataSync();
  expect(gradient).toHaveLength(expected.gradient.length);
  expect(largestDifference(gradient, expected.gradient)).toBeLessThan(1e-4);
  expect(Math.max(...expected.gradient)).toBeGreaterThan(0.1);
});
