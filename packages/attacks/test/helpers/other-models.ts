/**
 * Small models as other people export them, made from the weights of `fixtures/oracle/mnist-conv`. Nearly all of them compute what mnist-conv
 * computes, in another wrapping, so that the right answer is known: the answer for mnist-conv itself.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadLayersModel } from './oracle.ts';

type ModelJson = Record<string, unknown>;
type Layer = tf.layers.Layer;

const image = [28, 28, 1];
const { layers } = tf;

const write = (folder: string, json: ModelJson, weights: ArrayBuffer): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'weights.bin'), Buffer.from(weights));
};

/** Saves a layers model as TensorFlow.js does; `edit` may change the JSON. */
const saveLayers = async (
  folder: string,
  model: tf.LayersModel,
  edit: (json: ModelJson) => ModelJson = (json) => json,
): Promise<void> => {
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      write(
        folder,
        edit({ format: 'layers-model', modelTopology, weightsManifest }),
        weightData as ArrayBuffer,
      );
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
};

type Variant = {
  /** Stands before the layers of mnist-conv and fixes the shape of the input. */
  readonly front?: readonly Layer[];
  readonly tail?: readonly Layer[];
  /** Of the last layer. */
  readonly activation?: string;
  /** A factor on the logits. */
  readonly scale?: number;
  /** Another last layer whose outputs are sums of the logits, `[10, units]`. */
  readonly mix?: { readonly matrix: tf.Tensor2D; readonly activation?: 'sigmoid' };
};

/** The layers of mnist-conv, copied, with a front, a tail or another head. */
const variantOf = (base: tf.LayersModel, { front = [], tail = [], activation, scale = 1, mix }: Variant) => {
  const model = tf.sequential();
  for (const layer of front.length > 0 ? front : [layers.reshape({ targetShape: image, inputShape: image })])
    model.add(layer);
  for (const layer of base.layers) {
    const isLast = layer === base.layers.at(-1);
    const weights = layer.getWeights();
    if (isLast && mix) {
      const [kernel, bias] = weights as [tf.Tensor2D, tf.Tensor1D];
      const head = layers.dense({
        units: mix.matrix.shape[1],
        ...(mix.activation && { activation: mix.activation }),
      });
      model.add(head);
      head.setWeights([
        tf.matMul(kernel, mix.matrix),
        tf.matMul(bias.expandDims<tf.Tensor2D>(0), mix.matrix).squeeze([0]),
      ]);
      break;
    }
    const { batchInputShape: _shape, batch_input_shape: _same, ...config } = layer.getConfig();
    const Copy = layer.constructor as new (config: object) => Layer;
    const copy = new Copy(isLast && activation !== undefined ? { ...config, activation } : config);
    model.add(copy);
    if (weights.length > 0) copy.setWeights(isLast ? weights.map((weight) => weight.mul(scale)) : weights);
  }
  for (const layer of tail) model.add(layer);
  return model;
};

/** A kernel that is 1 at one place: the convolution changes nothing. */
const identityKernel = (shape: readonly number[], centre: readonly number[]): tf.Tensor => {
  const buffer = tf.buffer([...shape] as [number]);
  buffer.set(1, ...centre);
  return buffer.toTensor();
};

/** As Keras 3 writes: an input layer with `batch_shape`, data types as policies, names of weights with the model's name before them. */
const asKeras3 = (json: ModelJson): ModelJson => {
  const policy = {
    module: 'keras',
    class_name: 'DTypePolicy',
    config: { name: 'float32' },
    registered_name: null,
  };
  const text = json.modelTopology;
  const topology = typeof text === 'string' ? JSON.parse(text) : structuredClone(text);
  const list = (topology.model_config ?? topology).config.layers;
  for (const layer of list) {
    delete layer.config.batch_input_shape;
    Object.assign(layer.config, { dtype: policy });
    Object.assign(layer, { module: 'keras.layers', registered_name: null });
  }
  const config = { batch_shape: [null, ...image], dtype: 'float32', sparse: false, name: 'input_layer' };
  list.unshift({ module: 'keras.layers', class_name: 'InputLayer', registered_name: null, config });
  topology.keras_version = '3.5.0';
  const manifest = json.weightsManifest as { weights: { name: string }[] }[];
  const weightsManifest = manifest.map((group) => ({
    ...group,
    weights: group.weights.map((weight) => ({ ...weight, name: `sequential/${weight.name}` })),
  }));
  return { ...json, generatedBy: 'keras v3.5.0', modelTopology: topology, weightsManifest };
};

const matrixOf = (rows: readonly (readonly number[])[]): tf.Tensor2D =>
  tf.tensor2d(rows.map((row) => [...row]));
const digits = Array.from({ length: 10 }, (_, digit) => digit);

const layersVariants = (): Readonly<Record<string, Variant>> => ({
  base: {},
  'channels-first': { front: [layers.permute({ dims: [2, 3, 1], inputShape: [1, 28, 28] })] },
  'no-channel': { front: [layers.reshape({ targetShape: image, inputShape: [28, 28] })] },
  flat: { front: [layers.reshape({ targetShape: image, inputShape: [784] })] },
  softmax: { activation: 'softmax' },
  'softmax-layer': { tail: [layers.softmax({ axis: -1 })] },
  sigmoid: { activation: 'sigmoid' },
  tanh: { activation: 'tanh' },
  'logits-times-20': { scale: 20 },
  'rescaling-255': { front: [layers.rescaling({ scale: 1 / 255, offset: 0, inputShape: image })] },
  'minus-one-to-one': { front: [layers.rescaling({ scale: 0.5, offset: 0.5, inputShape: image })] },
  dropout: { front: [layers.dropout({ rate: 0.5, inputShape: image })] },
  depthwise: {
    front: [
      layers.depthwiseConv2d({
        kernelSize: 1,
        inputShape: image,
        useBias: false,
        weights: [tf.ones([1, 1, 1, 1])],
      }),
    ],
  },
  dilated: {
    front: [
      layers.conv2d({
        filters: 1,
        kernelSize: 3,
        dilationRate: 2,
        padding: 'same',
        inputShape: image,
        useBias: false,
        weights: [identityKernel([3, 3, 1, 1], [1, 1, 0, 0])],
      }),
    ],
  },
  conv3d: {
    front: [
      layers.reshape({ targetShape: [28, 28, 1, 1], inputShape: image }),
      layers.conv3d({
        filters: 1,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        weights: [identityKernel([3, 3, 3, 1, 1], [1, 1, 1, 0, 0])],
      }),
      layers.reshape({ targetShape: image }),
    ],
  },
  'upsample-and-pool': {
    front: [
      layers.upSampling2d({ size: [2, 2], inputShape: image }),
      layers.averagePooling2d({ poolSize: 2, strides: 2, padding: 'same' }),
    ],
  },
  'two-classes': { mix: { matrix: matrixOf(digits.map((digit) => (digit % 2 === 0 ? [1, 0] : [0, 1]))) } },
  'one-sigmoid': {
    mix: { matrix: matrixOf(digits.map((digit) => [digit === 0 ? -1 : 0.2])), activation: 'sigmoid' },
  },
  'always-wrong': {
    mix: { matrix: matrixOf(digits.map((from) => digits.map((to) => (to === (from + 1) % 10 ? 1 : 0)))) },
  },
});

type GraphNode = {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: object;
};

const float = { type: 'DT_FLOAT' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const shapeOf = (shape: readonly number[]) => ({
  shape: { dim: shape.map((size) => ({ size: String(size) })) },
});

/** Collects the nodes and weights of a graph. */
const createGraph = (inputShape: readonly number[]) => {
  const nodes: GraphNode[] = [
    { name: 'images', op: 'Placeholder', attr: { dtype: float, shape: shapeOf(inputShape) } },
  ];
  const weights: { readonly name: string; readonly tensor: tf.Tensor }[] = [];
  const constant = (name: string, tensor: tf.Tensor): string => {
    const dtype = tensor.dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT';
    const value = { tensor: { dtype, tensorShape: shapeOf(tensor.shape).shape } };
    nodes.push({ name, op: 'Const', attr: { dtype: { type: dtype }, value } });
    weights.push({ name, tensor });
    return name;
  };
  const op = (kind: string, name: string, input: readonly string[], attr: object = {}): string => {
    nodes.push({ name, op: kind, input, attr: { T: float, ...attr } });
    return name;
  };
  return { nodes, weights, constant, op };
};
type Graph = ReturnType<typeof createGraph>;

type GraphVariant = {
  /** From the node of the images to the node of the images in [0, 1]. */
  readonly front?: (graph: Graph, images: string) => string;
  /** From the node of the logits to the outputs. */
  readonly tail?: (graph: Graph, logits: string) => readonly string[];
  readonly inputShape?: readonly number[];
};

const nhwc = { data_format: { s: base64('NHWC') } };

/** mnist-conv as a graph. */
const saveGraph = (folder: string, base: tf.LayersModel, variant: GraphVariant): void => {
  const {
    front = (_, images) => images,
    tail = (_, logits) => [logits],
    inputShape = [-1, ...image],
  } = variant;
  const graph = createGraph(inputShape);
  let at = front(graph, 'images');
  for (const layer of base.layers) {
    const { name } = layer;
    const [kernel, bias] = layer.getWeights();
    if (kernel === undefined || bias === undefined) {
      const next = base.layers[base.layers.indexOf(layer) + 1]!.getWeights()[0]!;
      at = graph.op('Reshape', 'flat', [
        at,
        graph.constant('flat/shape', tf.tensor1d([-1, next.shape[0]!], 'int32')),
      ]);
      continue;
    }
    const weights = [graph.constant(`${name}/kernel`, kernel), graph.constant(`${name}/bias`, bias)] as const;
    const isConvolution = layer.getClassName() === 'Conv2D';
    const [down, right] = isConvolution
      ? (layer as unknown as { strides: number[] }).strides.map(String)
      : [];
    const product = isConvolution
      ? graph.op('Conv2D', `${name}/product`, [at, weights[0]], {
          strides: { list: { i: ['1', down, right, '1'] } },
          padding: { s: base64('SAME') },
          dilations: { list: { i: ['1', '1', '1', '1'] } },
          ...nhwc,
        })
      : graph.op('MatMul', `${name}/product`, [at, weights[0]], {
          transpose_a: { b: false },
          transpose_b: { b: false },
        });
    at = graph.op('BiasAdd', `${name}/sum`, [product, weights[1]], nhwc);
    if (layer !== base.layers.at(-1)) at = graph.op('Relu', `${name}/relu`, [at]);
  }
  const outputs = tail(graph, at);
  const bytes = Buffer.concat(
    graph.weights.map(({ tensor }) => Buffer.from(tensor.dataSync().buffer.slice(0))),
  );
  const json = {
    format: 'graph-model',
    generatedBy: '2.15.0',
    signature: {
      inputs: { images: { name: 'images:0', dtype: 'DT_FLOAT', tensorShape: shapeOf(inputShape).shape } },
      outputs: Object.fromEntries(outputs.map((id) => [id, { name: `${id}:0`, dtype: 'DT_FLOAT' }])),
    },
    modelTopology: { node: graph.nodes, versions: { producer: 1 } },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: graph.weights.map(({ name, tensor: { shape, dtype } }) => ({ name, shape, dtype })),
      },
    ],
  };
  write(folder, json, new Uint8Array(bytes).buffer);
};

const graphVariants: Readonly<Record<string, GraphVariant>> = {
  graph: {},
  /** √(x²) = x; its gradient is 0/0 at black pixels. */
  'root-of-square': {
    front: ({ op }, images) => op('Sqrt', 'root', [op('Mul', 'square', [images, images])]),
  },
  /** Pixels in steps of 1/16: the gradient is zero everywhere. */
  rounded: {
    front: ({ op, constant }, images) => {
      const levels = constant('levels', tf.scalar(16));
      return op('RealDiv', 'back', [op('Round', 'round', [op('Mul', 'up', [images, levels])]), levels]);
    },
  },
  /** The logits become NaN when the first pixel, which is 0 in every image, passes 0.02: 0 · log(0.02 − pixel). */
  'nan-beyond': {
    tail: ({ op, constant }, logits) => {
      const row = op('Reshape', 'row', ['images', constant('pixels', tf.tensor1d([-1, 784], 'int32'))]);
      const begin = constant('begin', tf.tensor1d([0, 0], 'int32'));
      const size = constant('size', tf.tensor1d([-1, 1], 'int32'));
      const first = op('Slice', 'first', [row, begin, size], { Index: { type: 'DT_INT32' } });
      const log = op('Log', 'log', [op('Sub', 'room', [constant('edge', tf.scalar(0.02)), first])]);
      return [op('AddV2', 'logits', [logits, op('Mul', 'nothing', [log, constant('none', tf.scalar(0))])])];
    },
  },
  'fixed-batch': { inputShape: [1, ...image] },
  'fixed-batch-of-8': { inputShape: [8, ...image] },
  'two-outputs': { tail: ({ op }, logits) => [op('Softmax', 'probabilities', [logits]), logits] },
  'graph-softmax': {
    tail: ({ op }, logits) => [op('Identity', 'Identity', [op('Softmax', 'softmax', [logits])])],
  },
};

export const otherModelNames: readonly string[] = [
  ...[
    'base',
    'channels-first',
    'no-channel',
    'flat',
    'softmax',
    'softmax-layer',
    'sigmoid',
    'tanh',
    'logits-times-20',
  ],
  ...['rescaling-255', 'minus-one-to-one', 'dropout', 'depthwise', 'dilated', 'conv3d', 'upsample-and-pool'],
  ...['two-classes', 'one-sigmoid', 'always-wrong', 'keras-3', ...Object.keys(graphVariants)],
];

/** Writes every model of `otherModelNames` into a folder of its name below `folder`. */
export const writeOtherModels = async (folder: string): Promise<void> => {
  const base = await loadLayersModel('mnist-conv');
  for (const [name, variant] of Object.entries(layersVariants()))
    await saveLayers(join(folder, name), variantOf(base, variant));
  await saveLayers(join(folder, 'keras-3'), variantOf(base, {}), asKeras3);
  for (const [name, variant] of Object.entries(graphVariants)) saveGraph(join(folder, name), base, variant);
};
