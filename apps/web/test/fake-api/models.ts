/** Three tiny networks as TF.js layers models: an encoder (nearest prototype), a classifier and a generator. */
import type { DatasetDetail } from '@funnel/contracts';
import { drawIn } from './fake-datasets.ts';

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

type Shape = DatasetDetail['shape'];

/** code_k = ⟨x, p_k⟩ − |p_k|²/2: largest for the nearest prototype. `prototypes`: an image of each class. */
const encoder = (shape: Shape, prototypes: readonly Float32Array[]): Network => {
  const [pixels, classes] = [prototypes[0]!.length, prototypes.length];
  return {
    input: shape,
    layers: [
      layer('Flatten', { name: 'flatten' }),
      layer('Dense', { name: 'code', units: classes, activation: 'linear', use_bias: true }),
    ],
    weights: [
      {
        name: 'code/kernel',
        shape: [pixels, classes],
        values: Float32Array.from(
          { length: pixels * classes },
          (_, i) => prototypes[i % classes]![Math.floor(i / classes)]!,
        ),
      },
      {
        name: 'code/bias',
        shape: [classes],
        values: Float32Array.from(prototypes, (p) => -p.reduce((sum, v) => sum + v * v, 0) / 2),
      },
    ],
  };
};

const classifier = (classes: number): Network => ({
  input: [classes],
  layers: [layer('Dense', { name: 'logits', units: classes, activation: 'linear', use_bias: true })],
  weights: [
    {
      name: 'logits/kernel',
      shape: [classes, classes],
      values: Float32Array.from({ length: classes ** 2 }, (_, i) => (i % (classes + 1) === 0 ? 0.15 : 0)),
    },
    { name: 'logits/bias', shape: [classes], values: new Float32Array(classes) },
  ],
});

/** Softmax over the codes mixes the prototypes. */
const generator = (shape: Shape, prototypes: readonly Float32Array[]): Network => {
  const [pixels, classes] = [prototypes[0]!.length, prototypes.length];
  return {
    input: [classes],
    layers: [
      layer('Activation', { name: 'mix', activation: 'softmax' }),
      layer('Dense', { name: 'picture', units: pixels, activation: 'linear', use_bias: true }),
      layer('Reshape', { name: 'map', target_shape: shape }),
    ],
    weights: [
      {
        name: 'picture/kernel',
        shape: [classes, pixels],
        values: Float32Array.from(
          { length: pixels * classes },
          (_, i) => prototypes[Math.floor(i / pixels)]![i % pixels]!,
        ),
      },
      { name: 'picture/bias', shape: [pixels], values: new Float32Array(pixels) },
    ],
  };
};

/** The networks of a trial on images of this shape. */
export const networksFor = (shape: Shape, classes: number): Readonly<Record<string, Network>> => {
  const prototypes = Array.from({ length: classes }, (_, label) => drawIn(shape, label, 'prototype'));
  return {
    'defender-encoder': encoder(shape, prototypes),
    'defender-generator': generator(shape, prototypes),
    head: classifier(classes),
  };
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
