/**
 * Layers models as Keras 3 writes them, turned into those that TensorFlow.js reads: its reader knows the words of Keras 2. Keras 3 wraps
 * objects in `{ module, class_name, config, registered_name }`, writes data types as policies, and calls in `inbound_nodes` as arguments.
 */
import { AppError } from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';

type Json = { readonly [key: string]: unknown };
type LayerJson = {
  class_name: string;
  name?: string;
  config: Record<string, unknown>;
  inbound_nodes?: unknown;
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Layers that change images in training only. At inference they pass their input on. */
const trainingOnly =
  /^Random(Flip|Rotation|Zoom|Contrast|Translation|Brightness|Crop|Height|Width|Shear|Hue|Saturation|Erasing|Sharpness|Grayscale|Invert|Posterization|ColorJitter|ColorDegeneration)$/;

/** Names that Keras 3 gives to activations and TensorFlow.js does not know. */
const activations: Readonly<Record<string, string>> = { silu: 'swish', leaky_relu: 'leakyRelu' };

/** Layers that TensorFlow.js has under these class names; the others are refused by name. */
const refuseLayer = (name: string, className: string): never => {
  throw new AppError(
    'ATTACK_INPUT',
    `Expected layers that TensorFlow.js has, but the layer ${name} is a ${className}: replace it by built-in layers, or convert the model to a graph model (\`tensorflowjs_converter --input_format=keras_saved_model --output_format=tfjs_graph_model\`)`,
  );
};

const dtypeOf = (dtype: unknown): unknown =>
  isObject(dtype) && isObject(dtype.config) ? dtype.config.name : dtype;

/** Initializers, regularizers and constraints: only class name and config. */
const unwrapped = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (!isObject(value)) return value;
  if ('class_name' in value && 'config' in value)
    return { class_name: value.class_name, config: unwrapped(value.config) };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
};

/** `[layer, node, tensor]` of every tensor among the arguments of a call, in order. */
const histories = (value: unknown): readonly (readonly [string, number, number])[] => {
  if (Array.isArray(value)) return value.flatMap(histories);
  if (!isObject(value)) return [];
  if (value.class_name === '__keras_tensor__' && isObject(value.config))
    return [value.config.keras_history as [string, number, number]];
  return Object.values(value).flatMap(histories);
};

/** Keras 3: one object per call. Keras 2: one list per call of `[layer, node, tensor, arguments]`. */
const inboundNodes = (calls: unknown): unknown =>
  Array.isArray(calls) && calls.every(isObject)
    ? calls.map((call) => histories([call.args, call.kwargs]).map((history) => [...history, {}]))
    : calls;

const asList = (ends: unknown): unknown =>
  Array.isArray(ends) && typeof ends[0] === 'string' ? [ends] : ends;

const layerConfig = (className: string, config: Record<string, unknown>): Record<string, unknown> => {
  const { batch_shape: batchShape, activation, ...rest } = config;
  const shape = batchShape ?? rest.batch_input_shape;
  const axis = Array.isArray(rest.axis) && rest.axis.length === 1 ? { axis: rest.axis[0] } : {};
  const cleaned = unwrapped({ ...rest, ...axis }) as Record<string, unknown>;
  const name = typeof activation === 'string' ? (activations[activation] ?? activation) : undefined;
  return {
    ...cleaned,
    ...(rest.dtype === undefined ? {} : { dtype: dtypeOf(rest.dtype) }),
    ...(shape === undefined ? {} : { batch_input_shape: shape }),
    ...(name === undefined ? {} : { activation: name }),
    ...(className === 'ReLU' ? { negative_slope: undefined, max_value: rest.max_value ?? undefined } : {}),
  };
};

const isModel = (className: string): boolean => /^(Sequential|Functional|Model)$/.test(className);

const readLayer = ({
  class_name: className,
  name,
  config,
  inbound_nodes: calls,
  ...rest
}: LayerJson): LayerJson => {
  const layerName = String(name ?? config.name ?? className);
  if (/^(Lambda|TFOpLambda|SlicingOpLambda)$/.test(className)) refuseLayer(layerName, className);
  const nodes = calls === undefined ? {} : { inbound_nodes: inboundNodes(calls) };
  const named = name === undefined && config.name === undefined ? {} : { name: layerName };
  if (isModel(className)) return { class_name: className, ...named, config: readModel(config), ...nodes };
  if (trainingOnly.test(className))
    return {
      class_name: 'Activation',
      ...named,
      config: { name: layerName, trainable: false, activation: 'linear', ...shapeOf(config) },
      ...nodes,
    };
  const { build_config: _build, module: _module, registered_name: _registered, ...others } = rest as Json;
  return { ...others, class_name: className, ...named, config: layerConfig(className, config), ...nodes };
};

const shapeOf = (config: Record<string, unknown>): Record<string, unknown> => {
  const shape = config.batch_shape ?? config.batch_input_shape;
  return shape === undefined ? {} : { batch_input_shape: shape };
};

/** The config of a sequential or functional model. A sequential model without an input layer gets the shape that it was built with. */
const readModel = (config: Record<string, unknown>): Record<string, unknown> => {
  const {
    build_input_shape: built,
    dtype,
    layers,
    input_layers: inputs,
    output_layers: outputs,
    ...rest
  } = config;
  const read = (layers as LayerJson[]).map(readLayer);
  const [first] = read;
  const lacksShape =
    first && !('batch_input_shape' in first.config) && !isModel(first.class_name) && Array.isArray(built);
  if (lacksShape && outputs === undefined) first.config.batch_input_shape = built;
  return {
    ...rest,
    layers: read,
    ...(inputs === undefined ? {} : { input_layers: asList(inputs) }),
    ...(outputs === undefined ? {} : { output_layers: asList(outputs) }),
  };
};

type Topology = { readonly model_config?: unknown; readonly keras_version?: string };

/** True for the topology of a layers model that Keras 3 wrote. */
export const isKeras3 = (topology: object): boolean =>
  /^[3-9]/.test(String((topology as Topology).keras_version ?? ''));

/** The topology in the words of Keras 2. Errors: ATTACK_INPUT for a layer that is code, such as Lambda. */
export const readKeras3 = (topology: object): object => {
  const parsed = topology as Topology & { class_name?: string; config?: unknown };
  const model = (isObject(parsed.model_config) ? parsed.model_config : parsed) as {
    class_name: string;
    config: Record<string, unknown>;
  };
  const read = { class_name: model.class_name, config: readModel(model.config) };
  return parsed.model_config === undefined ? { ...parsed, ...read } : { ...parsed, model_config: read };
};

/** Keras 3 puts the names of models before the names of weights; TensorFlow.js looks for `layer/weight`. */
export const readKeras3Weights = (
  specs: readonly tf.io.WeightsManifestEntry[],
): tf.io.WeightsManifestEntry[] => {
  const shortNames = specs.map(({ name }) => name.split('/').slice(-2).join('/'));
  const isUnique = new Set(shortNames).size === shortNames.length;
  return specs.map((spec, i) => (isUnique ? { ...spec, name: shortNames[i]! } : { ...spec }));
};
