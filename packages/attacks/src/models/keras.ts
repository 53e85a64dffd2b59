/**
 * Layers models as Keras 3 writes them, turned into those that TensorFlow.js reads: its reader knows the words of Keras 2. Keras 3 wraps
 * objects in `{ module, class_name, config, registered_name }`, writes data types as policies, and calls in `inbound_nodes` as arguments.
 */
import { AppError, isRecord } from '@funnel/contracts';
import { activationName } from './keras-classes.ts';
import type { LayerTree } from './keras-weights.ts';

type LayerJson = {
  class_name: string;
  name?: string;
  config: Record<string, unknown>;
  inbound_nodes?: unknown;
};

/** Layers that pass their input on at inference. RandomCrop does not: it resizes. */
const isIdentity =
  /^(Identity|ActivityRegularization|(Spatial|Gaussian|Alpha)?Dropout([123]D)?|GaussianNoise|Random(Flip|Rotation|Zoom|Contrast|Translation|Brightness|Height|Width|Shear|Hue|Saturation|Erasing|Sharpness|Grayscale|Invert|Posterization|Perspective|ElasticTransform|GaussianBlur|ColorJitter|ColorDegeneration)|RandAugment|AugMix|CutMix|MixUp|Solarization)$/;

/** The way out for layers that TensorFlow.js lacks. */
export const asGraph =
  "export a graph model: `model.export('SAVED_MODEL')` in Python, then `tensorflowjs_converter --input_format=tf_saved_model SAVED_MODEL OUT`";

/** A layer that TensorFlow.js lacks, or would compute otherwise than Keras. */
const refuseLayer = (name: string, what: string): never => {
  throw new AppError(
    'ATTACK_INPUT',
    `Expected layers that TensorFlow.js computes as Keras 3 does, but the layer ${name} ${what}: ${asGraph}`,
  );
};

/** `[layer, node, tensor]` of every tensor among the arguments of a call, in order. */
const histories = (value: unknown): readonly History[] => {
  if (Array.isArray(value)) return value.flatMap(histories);
  if (!isRecord(value)) return [];
  if (value.class_name === '__keras_tensor__' && isRecord(value.config))
    return [value.config.keras_history as History];
  return Object.values(value).flatMap(histories);
};

/** True when a call passes a number or a text, as `images * 2` does. TensorFlow.js has no place for it. */
const hasConstant = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(hasConstant)
    : isRecord(value)
      ? value.class_name !== '__keras_tensor__' && Object.values(value).some(hasConstant)
      : value !== null && value !== undefined;

/** `[layer, node, tensor]`. In TensorFlow.js the node 0 of a model is the model itself, and calls of it follow. */
type History = readonly [string, number, number];
type Renumber = (history: History) => History;

/** Keras 3: one object per call. Keras 2: one list per call of `[layer, node, tensor, arguments]`. */
const inboundNodes = (layer: string, calls: unknown, renumber: Renumber): unknown =>
  Array.isArray(calls) && calls.every(isRecord)
    ? calls.map((call) => {
        const { training: _training, mask: _mask, ...others } = isRecord(call.kwargs) ? call.kwargs : {};
        if (hasConstant([call.args, others])) refuseLayer(layer, 'is called with a constant');
        return histories([call.args, others]).map((history) => [...renumber(history), {}]);
      })
    : calls;

/** The inputs or outputs of a model. A single one is not in a list. */
const endsOf = (ends: unknown, renumber: Renumber): unknown => {
  const list = (Array.isArray(ends) && typeof ends[0] === 'string' ? [ends] : ends) as History[];
  return Array.isArray(list) ? list.map(renumber) : list;
};

/** What TensorFlow.js would ignore without a word: a sentence about it, or undefined. */
const ignored = (className: string, config: Record<string, unknown>): string | undefined => {
  if (typeof config.groups === 'number' && config.groups !== 1) return 'is a convolution in groups';
  if (Array.isArray(config.output_padding) || typeof config.output_padding === 'number')
    return 'has output_padding';
  if (className === 'UpSampling2D' && config.interpolation !== 'nearest') return 'resizes bilinearly';
  if (className === 'Resizing') return 'is a Resizing, which TensorFlow.js aligns otherwise';
  if (className === 'LayerNormalization' && config.rms_scaling === true) return 'has rms_scaling';
  if (className === 'ReLU' && config.threshold) return 'has a threshold';
  if (className === 'ReLU' && config.negative_slope && typeof config.max_value === 'number')
    return 'has a negative_slope and a max_value';
  if (className === 'Rescaling' && (isRecord(config.scale) || Array.isArray(config.scale)))
    return 'has a scale for each channel';
  if (className === 'Rescaling' && (isRecord(config.offset) || Array.isArray(config.offset)))
    return 'has an offset for each channel';
  if (/^(Lambda|TFOpLambda|SlicingOpLambda)$/.test(className))
    return `is a ${className}, which is Python code`;
  return undefined;
};

/** The name of an activation. Keras writes a function as its name, or as an object around it. */
const activationOf = (layer: string, activation: unknown): string => {
  if (typeof activation === 'string') return activationName(activation);
  if (isRecord(activation) && activation.class_name === 'function' && typeof activation.config === 'string')
    return activationName(activation.config);
  return refuseLayer(layer, 'has an activation that is a layer or code');
};

/** Without what only training needs. Every weight is set later, so a fast initializer serves for all. */
const forInference = (config: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => !/_(regularizer|constraint)$/.test(key))
      .map(([key, value]) => [key, key.endsWith('_initializer') ? 'zeros' : value]),
  );

/** The config of a layer in the words of Keras 2. All layers compute in float32, also those of a mixed policy. */
const layerConfig = (name: string, config: Record<string, unknown>): Record<string, unknown> => {
  const { batch_shape: _batch, activation, axis, ...rest } = config;
  return {
    ...forInference(rest),
    dtype: 'float32',
    ...shapeOf(config),
    ...(axis === undefined ? {} : { axis: Array.isArray(axis) && axis.length === 1 ? axis[0] : axis }),
    ...(activation === undefined || activation === null
      ? {}
      : { activation: activationOf(name, activation) }),
  };
};

type ClassAndConfig = Pick<LayerJson, 'class_name' | 'config'>;

/** The layer of TensorFlow.js that computes what a layer of Keras 3 computes. */
const translated = (className: string, name: string, config: Record<string, unknown>): ClassAndConfig => {
  const base = { name, trainable: false, dtype: 'float32', ...shapeOf(config) };
  if (isIdentity.test(className))
    return { class_name: 'Activation', config: { ...base, activation: 'linear' } };
  const reason = ignored(className, config);
  if (reason !== undefined) refuseLayer(name, reason);
  const read = layerConfig(name, config);
  if (className === 'LeakyReLU')
    return { class_name: className, config: { ...base, alpha: config.negative_slope ?? config.alpha } };
  if (className === 'ReLU')
    return config.negative_slope
      ? { class_name: 'LeakyReLU', config: { ...base, alpha: config.negative_slope } }
      : {
          class_name: className,
          config: typeof config.max_value === 'number' ? { ...base, max_value: config.max_value } : base,
        };
  if (className === 'Flatten' && config.data_format !== 'channels_first')
    return { class_name: 'Keras3Flatten', config: base };
  const pooling = /^Global(Average|Max)Pooling2D$/.exec(className)?.[1];
  if (pooling && config.keepdims === true)
    return {
      class_name: 'Keras3GlobalPooling',
      config: { ...base, kind: pooling === 'Max' ? 'max' : 'mean', data_format: config.data_format },
    };
  return { class_name: className, config: read };
};

const isModel = (className: string): boolean => /^(Sequential|Functional|Model)$/.test(className);

const nameOf = ({ class_name: className, name, config }: LayerJson): string =>
  String(name ?? config.name ?? className);

const readLayer = (layer: LayerJson, renumber: Renumber): LayerJson => {
  const { class_name: className, config, inbound_nodes: calls } = layer;
  const name = nameOf(layer);
  return {
    name,
    ...(isModel(className)
      ? { class_name: className, config: readModel(config) }
      : translated(className, name, config)),
    ...(calls === undefined ? {} : { inbound_nodes: inboundNodes(name, calls, renumber) }),
  };
};

const shapeOf = (config: Record<string, unknown>): Record<string, unknown> => {
  const shape = config.batch_shape ?? config.batch_input_shape;
  return shape === undefined ? {} : { batch_input_shape: shape };
};

/** The config of a sequential or functional model. A sequential model without an input layer gets the shape that it was built with. */
const readModel = (config: Record<string, unknown>): Record<string, unknown> => {
  const {
    build_input_shape: built,
    dtype: _policy,
    layers,
    input_layers: inputs,
    output_layers: outputs,
    ...rest
  } = config;
  const models = new Set((layers as LayerJson[]).filter((each) => isModel(each.class_name)).map(nameOf));
  const renumber: Renumber = ([layer, node, tensor]) => [layer, models.has(layer) ? node + 1 : node, tensor];
  const read = (layers as LayerJson[]).map((layer) => readLayer(layer, renumber));
  const [first] = read;
  const lacksShape =
    first && !('batch_input_shape' in first.config) && !isModel(first.class_name) && Array.isArray(built);
  if (lacksShape && outputs === undefined) first.config.batch_input_shape = built;
  return {
    ...rest,
    layers: read,
    ...(inputs === undefined ? {} : { input_layers: endsOf(inputs, renumber) }),
    ...(outputs === undefined ? {} : { output_layers: endsOf(outputs, renumber) }),
  };
};

type Topology = { readonly model_config?: unknown; readonly keras_version?: string };

/** True for the topology of a layers model that Keras 3 wrote. */
export const isKeras3 = (topology: object): boolean =>
  /^[3-9]/.test(String((topology as Topology).keras_version ?? ''));

const modelOf = (topology: object): ClassAndConfig =>
  ('model_config' in topology ? topology.model_config : topology) as ClassAndConfig;

/**
 * The topology in the words of Keras 2. Errors: ATTACK_INPUT for a layer that is code, such as Lambda, or that TensorFlow.js would compute
 * otherwise.
 */
export const readKeras3 = (topology: object): object => {
  const { class_name: className, config } = modelOf(topology);
  return { class_name: className, config: readModel(config) };
};

/** The layers of the topology, as Keras names and orders them. */
export const layerTree = (topology: object): LayerTree => {
  const tree = (layer: LayerJson): LayerTree => ({
    name: nameOf(layer),
    className: layer.class_name,
    layers: isModel(layer.class_name) ? (layer.config.layers as LayerJson[]).map(tree) : [],
  });
  return tree(modelOf(topology));
};
