/**
 * Writes an architecture as the Keras JSON that `tf.loadLayersModel` opens: a Sequential model of standard layers, or a Functional one where
 * the network has residual blocks. read-topology.ts reads it.
 */
import { leakySlope } from './activations.ts';
import { type Architecture, type Layer, shapesOf } from './architecture.ts';
import { normalisationEpsilon, normalisationMomentum } from './normalisation.ts';

type KerasLayer = {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly name: string };
};

const keras = (class_name: string, name: string, config: Record<string, unknown>): KerasLayer => ({
  class_name,
  config: { name, trainable: true, dtype: 'float32', ...config },
});

const convolution = (kernel: number, stride: number) => ({
  kernel_size: [kernel, kernel],
  strides: [stride, stride],
  padding: 'same',
  data_format: 'channels_last',
  use_bias: true,
});

/** (1 + z)/2, which follows a tanh. */
const toUnit = (name: string): KerasLayer => keras('Rescaling', `${name}_unit`, { scale: 0.5, offset: 0.5 });

/**
 * In Keras, a transposed convolution with 'same' padding and an upsampling always double the size. For an odd size, this layer then removes
 * a row or column: the first or the last one.
 */
const cropToSize = (
  { name, size }: Extract<Layer, { readonly size: unknown }>,
  input: readonly number[],
  end: 'first' | 'last',
): readonly KerasLayer[] => {
  const cropping = size.map((count, axis) => {
    const excess = 2 * input[axis]! - count;
    return end === 'first' ? [excess, 0] : [0, excess];
  });
  if (cropping.flat().every((count) => count === 0)) return [];
  return [keras('Cropping2D', `${name}_crop`, { cropping, data_format: 'channels_last' })];
};

const transposed = (
  layer: Extract<Layer, { kind: 'conv2dTranspose' }>,
  input: readonly number[],
): readonly KerasLayer[] => {
  const { name, filters, kernel, activation } = layer;
  const end = kernel % 2 === 1 ? 'first' : 'last'; // as 'same' padding distributes an odd number of rows
  return [
    keras('Conv2DTranspose', name, {
      ...convolution(kernel, 2),
      filters,
      activation: activation === 'unitTanh' ? 'tanh' : activation,
    }),
    ...cropToSize(layer, input, end),
    ...(activation === 'unitTanh' ? [toUnit(name)] : []),
  ];
};

const activated = ({ name, activation }: Extract<Layer, { kind: 'activate' }>): readonly KerasLayer[] => {
  if (activation === 'leaky-relu') return [keras('LeakyReLU', name, { alpha: leakySlope })];
  if (activation === 'unitTanh') return [keras('Activation', name, { activation: 'tanh' }), toUnit(name)];
  return [keras('Activation', name, { activation })];
};

/** A layer as Keras layers that follow each other. */
const kerasLayers = (
  layer: Exclude<Layer, { kind: 'residual' }>,
  input: readonly number[],
): readonly KerasLayer[] => {
  const { name } = layer;
  switch (layer.kind) {
    case 'conv2d': {
      const { filters, activation } = layer;
      return [keras('Conv2D', name, { ...convolution(layer.kernel, layer.stride), filters, activation })];
    }
    case 'conv2dTranspose':
      return transposed(layer, input);
    case 'averagePool': {
      const padding = input[0]! % 2 === 0 && input[1]! % 2 === 0 ? 'valid' : 'same';
      const config = { padding, data_format: 'channels_last', pool_size: [2, 2], strides: [2, 2] };
      return [keras('AveragePooling2D', name, config)];
    }
    case 'upSample':
      return [
        keras('UpSampling2D', name, { size: [2, 2], data_format: 'channels_last' }),
        ...cropToSize(layer, input, 'last'),
      ];
    case 'pad':
      return [keras('ZeroPadding2D', name, { padding: layer.edges, data_format: 'channels_last' })];
    case 'crop':
      return [keras('Cropping2D', name, { cropping: layer.edges, data_format: 'channels_last' })];
    case 'dense':
      return [keras('Dense', name, { units: layer.units, activation: layer.activation, use_bias: true })];
    case 'flatten':
      return [keras('Flatten', name, {})];
    case 'reshape':
      return [keras('Reshape', name, { target_shape: [...layer.shape] })];
    case 'normalise':
      return [
        keras('BatchNormalization', name, {
          axis: -1,
          momentum: normalisationMomentum,
          epsilon: normalisationEpsilon,
          center: true,
          scale: true,
        }),
      ];
    case 'activate':
      return activated(layer);
  }
};

type Sequence = Exclude<Layer, { kind: 'residual' }>[];
const isSequence = (layers: readonly Layer[]): layers is Sequence =>
  layers.every(({ kind }) => kind !== 'residual');

const sequential = (input: readonly number[], layers: Sequence, shapes: readonly (readonly number[])[]) => {
  const [first, ...rest] = layers.flatMap((layer, i) => kerasLayers(layer, shapes[i]!));
  const opened = { ...first!, config: { ...first!.config, batch_input_shape: [null, ...input] } };
  return { class_name: 'Sequential', config: { name: 'sequential', layers: [opened, ...rest] } };
};

type Node = KerasLayer & { readonly name: string; readonly inbound_nodes: readonly unknown[] };

const node = (layer: KerasLayer, from: readonly string[]): Node => ({
  ...layer,
  name: layer.config.name,
  inbound_nodes: from.length === 0 ? [] : [from.map((name) => [name, 0, 0, {}])],
});

/** The nodes of layers that follow each other, the first of which gets the output of the node `from`. */
const nodesOf = ({ input, layers }: Architecture, from: string): readonly Node[] => {
  const shapes = shapesOf({ input, layers });
  const nodes: Node[] = [];
  for (const [i, layer] of layers.entries()) {
    const last = nodes.at(-1)?.name ?? from;
    if (layer.kind === 'residual') {
      const inner = nodesOf({ input: shapes[i]!, layers: layer.layers }, last);
      nodes.push(...inner, node(keras('Add', layer.name, {}), [last, inner.at(-1)!.name]));
    } else {
      for (const each of kerasLayers(layer, shapes[i]!)) nodes.push(node(each, [nodes.at(-1)?.name ?? from]));
    }
  }
  return nodes;
};

const functional = (architecture: Architecture) => {
  const input = {
    class_name: 'InputLayer',
    config: { name: 'input', batch_input_shape: [null, ...architecture.input], dtype: 'float32' },
  };
  const layers = [node(input, []), ...nodesOf(architecture, 'input')];
  return {
    class_name: 'Functional',
    config: {
      name: 'functional',
      layers,
      input_layers: [['input', 0, 0]],
      output_layers: [[layers.at(-1)!.name, 0, 0]],
    },
  };
};

/** The value of `modelTopology` in a layers model of TensorFlow.js. */
export const topologyOf = (architecture: Architecture): Record<string, unknown> => {
  const { input, layers } = architecture;
  const model = isSequence(layers)
    ? sequential(input, layers, shapesOf(architecture))
    : functional(architecture);
  return { ...model, keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' };
};
