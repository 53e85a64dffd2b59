/** Three tiny networks as TF.js layers models: an encoder (nearest prototype), a classifier and a generator. */
import { drawDigit, side } from './digits.ts';

const pixels = side * side;
const prototypes = Array.from({ length: 10 }, (_, digit) => drawDigit(digit, 'prototype'));
const energy = prototypes.map((p) => p.reduce((sum, v) => sum + v * v, 0));

const layer = (class_name: string, config: Record<string, unknown>) => ({
  class_name,
  config: { trainable: true, dtype: 'float32', ...config },
});

type Network = {
  readonly layers: readonly object[];
  readonly input: readonly number[];
  readonly weights: readonly {
    readonly name: string;
    readonly shape: number[];
    readonly values: Float32Array;
  }[];
};

/** code_k = ⟨x, p_k⟩ − |p_k|²/2: largest for the nearest prototype. */
const encoder: Network = {
  input: [side, side, 1],
  layers: [
    layer('Flatten', { name: 'flatten' }),
    layer('Dense', { name: 'code', units: 10, activation: 'linear', use_bias: true }),
  ],
  weights: [
    {
      name: 'code/kernel',
      shape: [pixels, 10],
      values: Float32Array.from({ length: pixels * 10 }, (_, i) => prototypes[i % 10]![Math.floor(i / 10)]!),
    },
    { name: 'code/bias', shape: [10], values: Float32Array.from(energy, (e) => -e / 2) },
  ],
};
const identity = (scale: number) => Float32Array.from({ length: 100 }, (_, i) => (i % 11 === 0 ? scale : 0));
const classifier: Network = {
  input: [10],
  layers: [layer('Dense', { name: 'logits', units: 10, activation: 'linear', use_bias: true })],
  weights: [
    { name: 'logits/kernel', shape: [10, 10], values: identity(0.15) },
    { name: 'logits/bias', shape: [10], values: new Float32Array(10) },
  ],
};
/** Softmax over the codes mixes the prototypes. */
const generator: Network = {
  input: [10],
  layers: [
    layer('Activation', { name: 'mix', activation: 'softmax' }),
    layer('Dense', { name: 'picture', units: pixels, activation: 'linear', use_bias: true }),
    layer('Reshape', { name: 'map', target_shape: [side, side, 1] }),
  ],
  weights: [
    {
      name: 'picture/kernel',
      shape: [10, pixels],
      values: Float32Array.from(
        { length: pixels * 10 },
        (_, i) => prototypes[Math.floor(i / pixels)]![i % pixels]!,
      ),
    },
    { name: 'picture/bias', shape: [pixels], values: new Float32Array(pixels) },
  ],
};

export const networks: Readonly<Record<string, Network>> = {
  'defender-encoder': encoder,
  'defender-generator': generator,
  head: classifier,
};

export const modelJson = ({ layers, input, weights }: Network) => {
  const [first, ...rest] = layers as { class_name: string; config: object }[];
  const opened = { ...first!, config: { ...first!.config, batch_input_shape: [null, ...input] } };
  return {
    format: 'layers-model' as const,
    modelTopology: {
      class_name: 'Sequential',
      config: { name: 'sequential', layers: [opened, ...rest] },
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
  };
};

export const weightsBin = ({ weights }: Network): Buffer =>
  Buffer.concat(
    weights.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  );
