/** Converts architectures to and from the Keras JSON that `tf.loadLayersModel` opens: a Sequential model of standard layers. */
import { z } from 'zod';
import type { Architecture, Layer } from './architecture.ts';
import { shapesOf } from './architecture.ts';

type KerasLayer = { readonly class_name: string; readonly config: Readonly<Record<string, unknown>> };

const keras = (class_name: string, name: string, config: Record<string, unknown>): KerasLayer => ({
  class_name,
  config: { name, trainable: true, dtype: 'float32', ...config },
});

const convolution = {
  kernel_size: [3, 3],
  strides: [2, 2],
  padding: 'same',
  data_format: 'channels_last',
  use_bias: true,
};

type Ends = readonly [rows: number, columns: number];

/** Removes rows and columns of a map: at the top and left, or at the bottom and right. None where there is nothing to remove. */
const crop = (name: string, first: Ends, last: Ends): readonly KerasLayer[] => {
  if ([...first, ...last].every((count) => count === 0)) return [];
  const cropping = [
    [first[0], last[0]],
    [first[1], last[1]],
  ];
  return [keras('Cropping2D', `${name}_crop`, { cropping, data_format: 'channels_last' })];
};

/** What a layer that doubles the size of its input gives too much of. */
const excess = (input: readonly number[], size: Ends): Ends => [
  2 * input[0]! - size[0],
  2 * input[1]! - size[1],
];

/**
 * A layer as Keras layers. In Keras, a transposed convolution with 'same' padding and an upsampling always double the size. For an odd size,
 * a cropping layer then removes a row or column: the first one of a convolution, the last one of an upsampling.
 */
const kerasLayers = (layer: Layer, input: readonly number[]): readonly KerasLayer[] => {
  switch (layer.kind) {
    case 'conv2d':
      return [
        keras('Conv2D', layer.name, { ...convolution, filters: layer.filters, activation: layer.activation }),
      ];
    case 'conv2dTranspose': {
      const activation = layer.activation === 'relu' ? 'relu' : 'tanh';
      const config = { ...convolution, filters: layer.filters, activation };
      return [
        keras('Conv2DTranspose', layer.name, config),
        ...crop(layer.name, excess(input, layer.size), [0, 0]),
        ...(layer.activation === 'unitTanh'
          ? [keras('Rescaling', `${layer.name}_unit`, { scale: 0.5, offset: 0.5 })]
          : []),
      ];
    }
    case 'conv2dSame': {
      const config = { ...convolution, strides: [1, 1], filters: layer.filters, activation: 'sigmoid' };
      return [keras('Conv2D', layer.name, config)];
    }
    case 'averagePool': {
      const padding = input[0]! % 2 === 0 && input[1]! % 2 === 0 ? 'valid' : 'same';
      const config = { padding, data_format: 'channels_last', pool_size: [2, 2], strides: [2, 2] };
      return [keras('AveragePooling2D', layer.name, config)];
    }
    case 'upSample':
      return [
        keras('UpSampling2D', layer.name, { size: [2, 2], data_format: 'channels_last' }),
        ...crop(layer.name, [0, 0], excess(input, layer.size)),
      ];
    case 'dense':
      return [
        keras('Dense', layer.name, { units: layer.units, activation: layer.activation, use_bias: true }),
      ];
    case 'flatten':
      return [keras('Flatten', layer.name, {})];
    case 'reshape':
      return [keras('Reshape', layer.name, { target_shape: [...layer.shape] })];
  }
};

/** The value of `modelTopology` in a layers model of TensorFlow.js. */
export const topologyOf = (architecture: Architecture): Record<string, unknown> => {
  const shapes = shapesOf(architecture);
  const [first, ...rest] = architecture.layers.flatMap((layer, i) => kerasLayers(layer, shapes[i]!));
  const opened = {
    ...first!,
    config: { ...first!.config, batch_input_shape: [null, ...architecture.input] },
  };
  return {
    class_name: 'Sequential',
    config: { name: 'sequential', layers: [opened, ...rest] },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
};

const size = z.int().min(1);
const named = { name: z.string() };
const plain = z.enum(['relu', 'linear']);

const Stored = z.discriminatedUnion('class_name', [
  z.object({
    class_name: z.literal('Conv2D'),
    config: z.object({ ...named, filters: size, activation: z.enum(['relu', 'linear', 'sigmoid']) }),
  }),
  z.object({
    class_name: z.literal('Conv2DTranspose'),
    config: z.object({ ...named, filters: size, activation: z.enum(['relu', 'tanh']) }),
  }),
  z.object({
    class_name: z.literal('Cropping2D'),
    config: z.object({ cropping: z.tuple([z.tuple([z.int(), z.int()]), z.tuple([z.int(), z.int()])]) }),
  }),
  z.object({ class_name: z.literal('Rescaling'), config: z.object({}) }),
  z.object({
    class_name: z.literal('Dense'),
    config: z.object({ ...named, units: size, activation: plain }),
  }),
  z.object({ class_name: z.literal('AveragePooling2D'), config: z.object(named) }),
  z.object({ class_name: z.literal('UpSampling2D'), config: z.object(named) }),
  z.object({ class_name: z.literal('Flatten'), config: z.object(named) }),
  z.object({ class_name: z.literal('Reshape'), config: z.object({ ...named, target_shape: z.array(size) }) }),
]);

const Topology = z.object({
  class_name: z.literal('Sequential'),
  config: z.object({ layers: z.array(Stored).min(1) }),
});
const Opening = z.object({
  config: z.object({
    layers: z.array(
      z.object({ config: z.object({ batch_input_shape: z.array(size.nullable()).optional() }) }),
    ),
  }),
});

/** The architecture from which `topologyOf` made a topology. Throws on any other topology. */
export const architectureOf = (topology: Readonly<Record<string, unknown>>): Architecture => {
  const stored = Topology.parse(topology).config.layers;
  const [, ...input] = Opening.parse(topology).config.layers[0]!.config.batch_input_shape ?? [];
  const layers: Layer[] = [];
  for (const { class_name: kind, config } of stored) {
    const shape = shapesOf({ input: input as number[], layers }).at(-1)!;
    const last = layers.at(-1);
    if (kind === 'Conv2D' && config.activation === 'sigmoid')
      layers.push({ kind: 'conv2dSame', name: config.name, filters: config.filters });
    else if (kind === 'Conv2D' && config.activation !== 'sigmoid')
      layers.push({
        kind: 'conv2d',
        name: config.name,
        filters: config.filters,
        activation: config.activation,
      });
    else if (kind === 'Conv2DTranspose')
      layers.push({
        kind: 'conv2dTranspose',
        name: config.name,
        filters: config.filters,
        size: [2 * shape[0]!, 2 * shape[1]!],
        activation: config.activation === 'tanh' ? 'unitTanh' : 'relu',
      });
    else if (kind === 'Cropping2D' && last?.kind === 'conv2dTranspose')
      layers.splice(-1, 1, {
        ...last,
        size: [last.size[0] - config.cropping[0][0], last.size[1] - config.cropping[1][0]],
      });
    else if (kind === 'Cropping2D' && last?.kind === 'upSample')
      layers.splice(-1, 1, {
        ...last,
        size: [last.size[0] - config.cropping[0][1], last.size[1] - config.cropping[1][1]],
      });
    else if (kind === 'Dense')
      layers.push({ kind: 'dense', name: config.name, units: config.units, activation: config.activation });
    else if (kind === 'AveragePooling2D') layers.push({ kind: 'averagePool', name: config.name });
    else if (kind === 'UpSampling2D')
      layers.push({ kind: 'upSample', name: config.name, size: [2 * shape[0]!, 2 * shape[1]!] });
    else if (kind === 'Flatten') layers.push({ kind: 'flatten', name: config.name });
    else if (kind === 'Reshape')
      layers.push({ kind: 'reshape', name: config.name, shape: config.target_shape });
  }
  return { input: input as number[], layers };
};
