/** Layers of Keras 3 that TensorFlow.js reads otherwise are translated, or refused with their name. The oracles are the formulas of Keras. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClassifier } from '../src/index.ts';
import { useWasm } from './helpers/tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-keras-'));
beforeAll(useWasm);
afterAll(() => rmSync(folder, { recursive: true }));

type Layer = { readonly class_name: string; readonly config: Readonly<Record<string, unknown>> };

const flatten: Layer = { class_name: 'Flatten', config: {} };

/** A sequential model of images [2, 3, 1] without weights, as Keras 3 writes it. */
const load = async (...given: readonly Layer[]) => {
  const input = { batch_shape: [null, 2, 3, 1], dtype: 'float32', sparse: false, name: 'images' };
  const dtype = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'mixed_float16' } };
  const layers = [
    { module: 'keras.layers', class_name: 'InputLayer', config: input },
    ...given.map(({ class_name, config }, i) => ({
      module: 'keras.layers',
      class_name,
      config: { name: `layer_${i}`, trainable: true, dtype, ...config },
    })),
  ];
  const model_config = { class_name: 'Sequential', config: { name: 'sequential', layers } };
  const file = join(folder, 'model.json');
  writeFileSync(
    file,
    JSON.stringify({
      format: 'layers-model',
      modelTopology: { keras_version: '3.15.1', model_config },
      weightsManifest: [],
    }),
  );
  return loadClassifier(file, { bounds: [-4, 4] });
};

const pixels = [-3.5, -1, -0.25, 0.5, 2, 3.5];
const outputsOf = async (...given: readonly Layer[]): Promise<number[]> => {
  const { logits } = await load(...given);
  return tf.tidy(() => Array.from(logits(tf.tensor(pixels, [1, 2, 3, 1])).dataSync()));
};

const relu6 = (x: number) => Math.min(6, Math.max(0, x));
const activation = (name: string): Layer => ({ class_name: 'Activation', config: { activation: name } });
const mean = pixels.reduce((sum, x) => sum + x, 0) / pixels.length;
const logSum = Math.log(pixels.reduce((sum, x) => sum + Math.exp(x), 0));

/** Layer by layer, what it makes of a pixel. */
const formulas: readonly (readonly [title: string, layer: Layer, formula: (x: number) => number])[] = [
  ['leaky_relu', activation('leaky_relu'), (x) => Math.max(x, 0.2 * x)],
  ['hard_sigmoid', activation('hard_sigmoid'), (x) => relu6(x + 3) / 6],
  ['hard_silu', activation('hard_silu'), (x) => (x * relu6(x + 3)) / 6],
  ['hard_tanh', activation('hard_tanh'), (x) => Math.max(-1, Math.min(1, x))],
  ['silu', activation('silu'), (x) => x / (1 + Math.exp(-x))],
  ['exponential', activation('exponential'), Math.exp],
  [
    'an activation that is a function',
    {
      class_name: 'Activation',
      config: {
        activation: {
          module: 'builtins',
          class_name: 'function',
          config: 'hard_silu',
          registered_name: 'function',
        },
      },
    },
    (x) => (x * relu6(x + 3)) / 6,
  ],
  ['LeakyReLU', { class_name: 'LeakyReLU', config: { negative_slope: 0.1 } }, (x) => Math.max(x, 0.1 * x)],
  [
    'ReLU with a slope',
    { class_name: 'ReLU', config: { negative_slope: 0.5, max_value: null, threshold: 0 } },
    (x) => Math.max(x, 0.5 * x),
  ],
  [
    'ReLU with a largest value',
    { class_name: 'ReLU', config: { negative_slope: 0, max_value: 3, threshold: 0 } },
    (x) => Math.min(3, Math.max(0, x)),
  ],
  ['SpatialDropout2D', { class_name: 'SpatialDropout2D', config: { rate: 0.5, seed: null } }, (x) => x],
  ['RandomFlip', { class_name: 'RandomFlip', config: { mode: 'horizontal', seed: 1 } }, (x) => x],
];

describe('computes as Keras 3 does', () => {
  it.each(formulas)('%s', async (_, layer, formula) => {
    const outputs = await outputsOf(layer, flatten);
    expect(outputs).toHaveLength(pixels.length);
    outputs.forEach((value, i) => {
      expect(value).toBeCloseTo(formula(pixels[i]!), 4);
    });
  });

  it('log_softmax', async () => {
    const outputs = await outputsOf(flatten, activation('log_softmax'));
    outputs.forEach((value, i) => {
      expect(value).toBeCloseTo(pixels[i]! - logSum, 5);
    });
  });

  it('Flatten of a row', async () => {
    expect(await outputsOf(flatten, flatten)).toEqual(pixels);
  });

  it.each([
    ['Average', mean],
    ['Max', 3.5],
  ] as const)('Global%sPooling2D that keeps its axes', async (kind, value) => {
    const config = { data_format: 'channels_last', keepdims: true };
    const [, pooled] = await outputsOf({ class_name: `Global${kind}Pooling2D`, config }); // read as two classes
    expect(pooled).toBeCloseTo(value, 5);
  });
});

const convolution = { filters: 2, kernel_size: [1, 1], strides: [1, 1], padding: 'valid' };

describe('refuses by name', () => {
  it.each([
    ['Lambda', {}, /layer_0 is a Lambda, which is Python code/],
    ['Conv2D', { ...convolution, groups: 2 }, /layer_0 is a convolution in groups/],
    ['Conv2DTranspose', { ...convolution, output_padding: [1, 1] }, /layer_0 has output_padding/],
    ['UpSampling2D', { size: [2, 2], interpolation: 'bilinear' }, /layer_0 resizes bilinearly/],
    ['Resizing', { height: 4, width: 6 }, /layer_0 is a Resizing/],
    ['ReLU', { threshold: 1, negative_slope: 0, max_value: null }, /layer_0 has a threshold/],
    ['Rescaling', { scale: [1, 2, 3], offset: 0 }, /layer_0 has a scale for each channel/],
    ['RandomCrop', { height: 2, width: 2 }, /contains the layer RandomCrop/],
    ['Activation', { activation: 'squareplus' }, /contains the activation squareplus/],
    [
      'Conv2D',
      { ...convolution, activation: { class_name: 'LeakyReLU', config: { negative_slope: 0.1 } } },
      /layer_0 has an activation that is a layer or code/,
    ],
    ['Conv2D', convolution, /Expected weights \[1, 1, 1, 2\], \[2\] for the layer layer_0.*none/],
  ] as const)('%s %j', async (class_name, config, message) => {
    await expect(load({ class_name, config }, flatten)).rejects.toThrow(message);
  });
});
