/** Models as Keras 3 and tensorflowjs_converter write them give the outputs of Keras. `fixtures/make-keras-models.py` made them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { evaluateAttack, examineClassifier, type LoadOptions, loadClassifier } from '../src/index.ts';
import { useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

const fixtures = fileURLToPath(new URL('../../../fixtures/models', import.meta.url));

type Expected = {
  readonly shape: readonly [number, number, number];
  /** The value of white. */
  readonly highest: number;
  readonly outputs: readonly (readonly number[])[];
};

const expectedOf = (path: string): Expected =>
  JSON.parse(readFileSync(`${fixtures}/${path.split('/')[0]}/expected.json`, 'utf8'));

/** Three images, the same that Keras got. */
const imagesOf = ({ shape, highest }: Expected): tf.Tensor => {
  const size = 3 * shape.reduce((product, each) => product * each, 1);
  const value = (_: unknown, k: number) => (0.5 + 0.5 * Math.sin(0.1 * (k % 4099) ** 2)) * highest;
  return tf.tensor(Float32Array.from({ length: size }, value), [3, ...shape]);
};

const outputsOf = async (path: string, expected: Expected, options: LoadOptions = {}) => {
  const model = await loadClassifier(`${fixtures}/${path}`, { bounds: [0, expected.highest], ...options });
  expect(model.shape).toEqual(expected.shape);
  return tf.tidy(() => model.logits(imagesOf(expected)).arraySync());
};

const largestDifference = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number =>
  Math.max(...a.flatMap((row, i) => row.map((value, k) => Math.abs(value - b[i]![k]!))));

const readable = [
  'keras-sequential/layers',
  'keras-sequential/layers-h5',
  'keras-sequential/graph',
  'keras-branches/layers',
  'keras-branches/layers-h5',
  'keras-branches/graph',
  'keras-mobilenet/layers',
  'keras-mobilenet/graph',
  'keras-augmented/layers',
  'keras-augmented/layers-h5',
  'keras-operators/graph',
];

it.each(readable)('%s has the outputs of Keras', async (path) => {
  const expected = expectedOf(path);
  const outputs = await outputsOf(path, expected);
  expect(outputs.map((row) => row.length)).toEqual([10, 10, 10]);
  expect(largestDifference(outputs, expected.outputs)).toBeLessThan(1e-4);
});

it.each(readable)('%s has gradients that match finite differences, and is attacked', async (path) => {
  const expected = expectedOf(path);
  const bounds = [0, expected.highest] as const;
  const fromProbabilities = path.startsWith('keras-augmented');
  const model = await loadClassifier(`${fixtures}/${path}`, { bounds, fromProbabilities });
  const images = imagesOf(expected);
  const labels = tf.tidy(() => tf.argMax(model.logits(images), 1).dataSync());
  const examination = await examineClassifier({ model, images, labels });
  expect(examination.gradients, JSON.stringify(examination.findings)).toBe('right');
  const { summary } = await evaluateAttack({ model, images, labels, attack: 'fmn-l2' });
  expect(summary).toMatchObject({ attempted: 3, successes: 3 });
});

it('drops the softmax of an export', async () => {
  const path = 'keras-augmented/layers';
  const expected = expectedOf(path);
  const logits = await outputsOf(path, expected, { fromProbabilities: true });
  const again = tf.tidy(() => tf.softmax(tf.tensor2d(logits)).arraySync()) as number[][];
  expect(largestDifference(again, expected.outputs)).toBeLessThan(1e-4);
  expect(Math.min(...logits.flat())).toBeLessThan(0);
});

it('refuses a layer that is called with a constant, as `images * 2` is', async () => {
  await expect(loadClassifier(`${fixtures}/keras-operators/layers`)).rejects.toThrow(
    /the layer multiply is called with a constant: export a graph model: `model\.export/,
  );
});
