/** Models with operators that a backend lacks, computes wrongly, or cannot differentiate. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { classifierModel, evaluateAttack, examineClassifier, loadClassifier } from '../src/index.ts';
import { useWasm } from './helpers/tiny.ts';

let folder: string;
beforeAll(async () => {
  await useWasm();
  folder = mkdtempSync(join(tmpdir(), 'funnel-operators-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Node = { name: string; op: string; input?: string[]; attr?: object };
const float = { T: { type: 'DT_FLOAT' } };

const constant = (name: string, dtype: string, shape: readonly number[]): Node => ({
  name,
  op: 'Const',
  attr: {
    dtype: { type: dtype },
    value: { tensor: { dtype, tensorShape: { dim: shape.map((size) => ({ size: String(size) })) } } },
  },
});

/** Writes a graph: images [n, 4, 4, 1], `nodes` up to `last` with `width` values per image, times weights. */
const writeGraph = (name: string, nodes: readonly Node[], last: string, width: number): string => {
  const topology = {
    node: [
      {
        name: 'images',
        op: 'Placeholder',
        attr: {
          dtype: { type: 'DT_FLOAT' },
          shape: { shape: { dim: ['-1', '4', '4', '1'].map((size) => ({ size })) } },
        },
      },
      ...nodes,
      constant('rows', 'DT_INT32', [2]),
      constant('weights', 'DT_FLOAT', [width, 2]),
      { name: 'flat', op: 'Reshape', input: [last, 'rows'], attr: float },
      {
        name: 'logits',
        op: 'MatMul',
        input: ['flat', 'weights'],
        attr: { ...float, transpose_a: { b: false }, transpose_b: { b: false } },
      },
    ],
    versions: { producer: 1 },
  };
  const weights = Float32Array.from({ length: width * 2 }, (_, i) => Math.sin(i) * 3);
  const path = join(folder, name);
  writeFileSync(
    `${path}.bin`,
    Buffer.concat([Int32Array.of(-1, width), weights].map(({ buffer }) => Buffer.from(buffer))),
  );
  const specs = [
    { name: 'rows', shape: [2], dtype: 'int32' },
    { name: 'weights', shape: [width, 2], dtype: 'float32' },
  ];
  const manifest = [{ paths: [`${name}.bin`], weights: specs }];
  writeFileSync(
    `${path}.json`,
    JSON.stringify({ format: 'graph-model', modelTopology: topology, weightsManifest: manifest }),
  );
  return `${path}.json`;
};

describe('a model that is read', () => {
  afterEach(useWasm);

  it('is refused with the name of an operator that wasm lacks, and runs on cpu', async () => {
    const nodes: Node[] = [
      { name: 'complex', op: 'Complex', input: ['images', 'images'], attr: float },
      { name: 'absolute', op: 'ComplexAbs', input: ['complex'], attr: {} },
    ];
    const file = writeGraph('complex', nodes, 'absolute', 16);
    await expect(loadClassifier(file, { layout: 'channels-last' })).rejects.toThrow(
      /operators that the backend wasm has, but .*complex\.json contains Complex, .*--backend cpu/,
    );
    await tf.setBackend('cpu');
    const model = await loadClassifier(file, { layout: 'channels-last' });
    const x = tf.ones([1, 4, 4, 1]);
    const logits = await model.logits(x).data();
    // |1 + i| = √2 at each pixel.
    const sum = (k: number) =>
      Array.from({ length: 16 }, (_, i) => Math.SQRT2 * 3 * Math.sin(2 * i + k)).reduce((a, b) => a + b);
    expect(logits[0]).toBeCloseTo(sum(0), 4);
    expect(logits[1]).toBeCloseTo(sum(1), 4);
  });

  it('is refused with the name of an operator that wasm computes wrongly', async () => {
    const size = { list: { i: ['1', '2', '2', '1'] } };
    const attr = { ...float, ksize: size, strides: size, padding: { s: btoa('VALID') } };
    const pool: Node = { name: 'pool', op: 'MaxPoolWithArgmax', input: ['images'], attr };
    const file = writeGraph('argmax', [pool], 'pool', 4);
    await expect(loadClassifier(file, { layout: 'channels-last' })).rejects.toThrow(
      /argmax\.json contains MaxPoolWithArgmax, .*wrongly.*--backend cpu/,
    );
    await tf.setBackend('cpu');
    expect((await loadClassifier(file, { layout: 'channels-last' })).classes).toBe(2);
  });
});

describe('a model without a gradient', () => {
  const shape = [4, 4, 1];
  /** Products along rows, of an image that is shifted by one pixel. Neither operator has a gradient. */
  const logitsOf = (x: tf.Tensor): tf.Tensor2D => {
    const custom = tf.customGrad((value) => ({ value: (value as tf.Tensor).clone(), gradFunc: (dy) => dy }));
    const shifted = tf.image.transform(custom(x) as tf.Tensor4D, tf.tensor2d([[1, 0, 1, 0, 1, 0, 0, 0]]));
    const products = tf.cumprod(tf.sigmoid(shifted).reshape([-1, 16]), 1);
    return tf.matMul(products.square(), tf.linspace(-1, 1, 32).reshape([16, 2])) as tf.Tensor2D;
  };
  const images = Float32Array.from({ length: 8 * 16 }, (_, i) => Math.abs(Math.sin(i)));

  it('is marked with the names of the operators, and leaves no tensor behind', async () => {
    const model = classifierModel(logitsOf, { shape, classes: 2 });
    const labels = await model
      .logits(tf.tensor(images, [8, ...shape]))
      .argMax(1)
      .data();
    const before = tf.memory().numTensors;
    const { gradients, findings } = await examineClassifier({ model, images, labels });
    expect(gradients).toBe('missing');
    expect(findings.find(({ name }) => name === 'gradients')!.detail).toContain(
      'the operators Cumprod, Transform have none',
    );
    expect(tf.memory().numTensors).toBe(before);
    await expect(evaluateAttack({ model, images, labels, attack: 'fgsm' })).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(before);
  });
});
