/** Reads the Keras JSON that topology.ts writes. */
import { z } from 'zod';
import { type Architecture, type Layer, shapesOf } from './architecture.ts';

const size = z.int().min(1);
const named = { name: z.string() };
const plain = z.enum(['relu', 'linear']);
const convolution = { ...named, filters: size, kernel_size: z.tuple([size, size]) };
const edge = z.int().min(0);
const edges = z.tuple([z.tuple([edge, edge]), z.tuple([edge, edge])]);

/** The names of the layers whose outputs a layer of a Functional model gets. */
const Inbound = z
  .array(z.array(z.tuple([z.string(), z.literal(0), z.literal(0), z.object({})])))
  .transform((calls) => calls.flat().map(([from]) => from))
  .optional();

const layerOf = <Name extends string, Config extends z.ZodType>(name: Name, config: Config) =>
  z.object({ class_name: z.literal(name), config, inbound_nodes: Inbound });

const Stored = z.discriminatedUnion('class_name', [
  layerOf('InputLayer', z.object(named)),
  layerOf(
    'Conv2D',
    z.object({
      ...convolution,
      strides: z.union([z.tuple([z.literal(1), z.literal(1)]), z.tuple([z.literal(2), z.literal(2)])]),
      activation: z.enum(['relu', 'linear', 'sigmoid']),
    }),
  ),
  layerOf('Conv2DTranspose', z.object({ ...convolution, activation: z.enum(['relu', 'linear', 'tanh']) })),
  layerOf('ZeroPadding2D', z.object({ ...named, padding: edges })),
  layerOf('Cropping2D', z.object({ ...named, cropping: edges })),
  layerOf('Rescaling', z.object(named)),
  layerOf('Dense', z.object({ ...named, units: size, activation: plain })),
  layerOf('AveragePooling2D', z.object(named)),
  layerOf('UpSampling2D', z.object(named)),
  layerOf('Flatten', z.object(named)),
  layerOf('Reshape', z.object({ ...named, target_shape: z.array(size) })),
  layerOf('BatchNormalization', z.object(named)),
  layerOf('Activation', z.object({ ...named, activation: z.enum(['relu', 'elu', 'tanh']) })),
  layerOf('LeakyReLU', z.object(named)),
  layerOf('Add', z.object(named)),
]);
type Stored = z.infer<typeof Stored>;

const Topology = z.object({
  class_name: z.enum(['Sequential', 'Functional']),
  config: z.object({ layers: z.array(Stored).min(1) }),
});
const Opening = z.object({
  config: z.object({
    layers: z.array(
      z.object({ config: z.object({ batch_input_shape: z.array(size.nullable()).optional() }) }),
    ),
  }),
});

/** A layer, and the name of the last Keras layer of which it was made. */
type Read = { readonly layer: Layer; readonly end: string };

/** `layer` after the Keras layers `name_crop` and `name_unit`, which are parts of it. Null for any other Keras layer. */
const merged = (layer: Layer | undefined, { class_name: kind, config }: Stored): Layer | null => {
  if (kind === 'Cropping2D' && layer && 'size' in layer && config.name === `${layer.name}_crop`) {
    const [rows, columns] = config.cropping.map(([before, after]) => before + after) as [number, number];
    return { ...layer, size: [layer.size[0] - rows, layer.size[1] - columns] };
  }
  if (kind === 'Rescaling' && layer?.kind === 'activate') return { ...layer, activation: 'unitTanh' };
  if (kind === 'Rescaling' && layer?.kind === 'conv2dTranspose') return { ...layer, activation: 'unitTanh' };
  return null;
};

/** The layer of one Keras layer. `input`: the shape of its input. */
const layerFrom = ({ class_name: kind, config }: Stored, input: readonly number[]): Layer => {
  const { name } = config;
  switch (kind) {
    case 'Conv2D':
      return {
        kind: 'conv2d',
        name,
        filters: config.filters,
        kernel: config.kernel_size[0],
        stride: config.strides[0],
        activation: config.activation,
      };
    case 'Conv2DTranspose':
      return {
        kind: 'conv2dTranspose',
        name,
        filters: config.filters,
        kernel: config.kernel_size[0],
        size: [2 * input[0]!, 2 * input[1]!],
        activation: config.activation === 'tanh' ? 'unitTanh' : config.activation,
      };
    case 'ZeroPadding2D':
      return { kind: 'pad', name, edges: config.padding };
    case 'Cropping2D':
      return { kind: 'crop', name, edges: config.cropping };
    case 'Dense':
      return { kind: 'dense', name, units: config.units, activation: config.activation };
    case 'AveragePooling2D':
      return { kind: 'averagePool', name };
    case 'UpSampling2D':
      return { kind: 'upSample', name, size: [2 * input[0]!, 2 * input[1]!] };
    case 'Flatten':
      return { kind: 'flatten', name };
    case 'Reshape':
      return { kind: 'reshape', name, shape: config.target_shape };
    case 'BatchNormalization':
      return { kind: 'normalise', name };
    case 'Activation':
      return { kind: 'activate', name, activation: config.activation };
    case 'LeakyReLU':
      return { kind: 'activate', name, activation: 'leaky-relu' };
    case 'InputLayer':
    case 'Rescaling':
    case 'Add':
      throw new Error(
        `Expected a topology that Funnel wrote, but the layer ${name} is a ${kind} out of place`,
      );
  }
};

/** The architecture from which `topologyOf` made a topology. Throws on any other topology. */
export const architectureOf = (topology: Readonly<Record<string, unknown>>): Architecture => {
  const [first, ...others] = Topology.parse(topology).config.layers as [Stored, ...Stored[]]; // at least one
  const [, ...input] = Opening.parse(topology).config.layers[0]!.config.batch_input_shape ?? [];
  const isFunctional = first.class_name === 'InputLayer';
  const read: Read[] = [];
  for (const stored of isFunctional ? others : [first, ...others]) {
    const end = stored.config.name;
    const last = read.at(-1)?.layer;
    const merge = merged(last, stored);
    if (merge !== null) read.splice(-1, 1, { layer: merge, end });
    else if (stored.class_name === 'Add') {
      // The layers between its two inputs are those of the residual block.
      const skipped = stored.inbound_nodes?.[0];
      const start = read.findLastIndex((each) => each.end === skipped) + 1;
      const inner = read.splice(start).map(({ layer }) => layer);
      read.push({ layer: { kind: 'residual', name: end, layers: inner }, end });
    } else {
      const shape = shapesOf({ input: input as number[], layers: read.map(({ layer }) => layer) }).at(-1)!;
      read.push({ layer: layerFrom(stored, shape), end });
    }
  }
  return { input: input as number[], layers: read.map(({ layer }) => layer) };
};
