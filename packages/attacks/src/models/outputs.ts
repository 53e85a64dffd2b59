/** From the outputs of a model to logits: which output, without its softmax or sigmoid, and one output as two classes. */
import { AppError, didYouMean } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';

export type Run = (input: tf.Tensor) => tf.Tensor2D;

export type OutputOptions = {
  /**
   * The name of the output, or of any layer or node of the model. `logits` also finds the only output that is no softmax and no sigmoid.
   * Default: the only output.
   */
  readonly output?: string;
  /** The name of the input, or of the node of a graph that takes the images. Default: its only input. */
  readonly input?: string;
  /** The outputs are probabilities: drops a final softmax or sigmoid, or inverts it where none can be seen. */
  readonly fromProbabilities?: boolean;
};

const refuse = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

/** The output of a model as `[n, classes]`. */
export const matrix = (output: unknown): tf.Tensor2D => {
  if (!(output instanceof tf.Tensor))
    return refuse('Expected a model with one output, the logits, but got several outputs: give `output`');
  if (output.rank === 1) return tf.expandDims(output, 1) as tf.Tensor2D;
  // A convolution at the end leaves [n, 1, 1, classes].
  const isRow = output.shape.slice(1, -1).every((size: number) => size === 1);
  if (output.rank < 2 || !isRow)
    return refuse(`Expected logits of shape [batch, classes], but got [${output.shape.join(', ')}]`);
  return tf.reshape(output, [output.shape[0]!, output.shape[output.rank - 1]!]);
};

/** Whether a final softmax or sigmoid was dropped; `none` where the model shows none. */
export type Head = { readonly run: Run; readonly dropped: 'softmax' | 'sigmoid' | 'none' };

const squashing = (name: string): 'softmax' | 'sigmoid' | 'none' =>
  /^softmax$/i.test(name) ? 'softmax' : /^sigmoid$/i.test(name) ? 'sigmoid' : 'none';

type LayersOutput = { readonly tensor: tf.SymbolicTensor; readonly dropped: Head['dropped'] };

type LayerVariable = ReturnType<tf.layers.Layer['addWeight']>;

const isVariable = (field: unknown): field is LayerVariable =>
  typeof (field as LayerVariable | null)?.read === 'function' &&
  typeof (field as LayerVariable).write === 'function';

/** Gives `copy` the variables of `layer` instead of its own, so that it follows further training and holds no memory. */
const shareVariables = (copy: tf.layers.Layer, layer: tf.layers.Layer): void => {
  const fields = copy as unknown as Record<string, unknown>;
  for (const [name, variable] of Object.entries(layer)) {
    const own = fields[name];
    if (!isVariable(variable) || !isVariable(own)) continue;
    (own as unknown as { dispose: () => void }).dispose();
    fields[name] = variable;
  }
  copy.trainableWeights = layer.trainableWeights;
  copy.nonTrainableWeights = layer.nonTrainableWeights;
};

/** The symbolic output before a final activation. Shares the weights of the layers, and leaves the model as it is. */
const beforeActivation = (tensor: tf.SymbolicTensor): LayersOutput => {
  const layer = tensor.sourceLayer;
  const config = layer.getConfig();
  const name = layer.getClassName();
  const dropped = squashing(name === 'Softmax' ? 'softmax' : String(config.activation ?? ''));
  if (dropped === 'none') return { tensor, dropped };
  if (name === 'Softmax' || name === 'Activation')
    return { tensor: layer.input as tf.SymbolicTensor, dropped };
  const Layer = layer.constructor as new (config: object) => tf.layers.Layer;
  const linear = new Layer({ ...config, activation: 'linear', name: `${layer.name}_logits` });
  const logits = linear.apply(layer.input) as tf.SymbolicTensor;
  shareVariables(linear, layer);
  return { tensor: logits, dropped };
};

/** The logits of a layers model. `drop`: without a final softmax or sigmoid. */
export const layersHead = (model: tf.LayersModel, { output }: OutputOptions, drop: boolean): Head => {
  const chosen =
    output === undefined
      ? model.outputs.length === 1
        ? model.outputs[0]!
        : refuse(
            `Expected one output, but the model has ${model.outputs.length}: ${model.outputNames.join(', ')}. Give \`output\``,
          )
      : (model.outputs[model.outputNames.indexOf(output)] ??
        (output === 'logits' ? onlyLogits(model) : undefined) ??
        layerOutput(model, output));
  const { tensor, dropped } = drop ? beforeActivation(chosen) : { tensor: chosen, dropped: 'none' as const };
  const cut =
    tensor === model.outputs[0] && model.outputs.length === 1
      ? model
      : tf.model({ inputs: model.inputs, outputs: tensor });
  // `apply`, not `predict`: `predict` splits batches and hides the operations from the gradient tape.
  return { run: (input) => matrix(cut.apply(input, { training: false })), dropped };
};

/** `logits`, where no output has this name, means the only output that is no softmax and no sigmoid. */
const onlyLogits = (model: tf.LayersModel): tf.SymbolicTensor | undefined => {
  const found = model.outputs.filter((tensor) => beforeActivation(tensor).dropped === 'none');
  return found.length === 1 ? found[0] : undefined;
};

/** A refusal lists this many names of outputs and layers. */
const maxNames = 30;

const refuseOutput = (given: string, parts: 'layers' | 'nodes', known: readonly string[]): never => {
  const names = [...known.slice(0, maxNames), ...(known.length > maxNames ? ['…'] : [])].join(', ');
  const question = didYouMean(given, known);
  return refuse(
    `Expected an output of the model or one of its ${parts} (${names}), but got ${given}${question === null ? '' : `: ${question}`}`,
  );
};

const layerOutput = (model: tf.LayersModel, name: string): tf.SymbolicTensor => {
  const layer = model.layers.find((each) => each.name === name);
  if (layer) return layer.output as tf.SymbolicTensor;
  return refuseOutput(name, 'layers', [
    ...new Set([...model.outputNames, ...model.layers.map((each) => each.name)]),
  ]);
};

type GraphNode = { readonly name: string; readonly op: string; readonly inputNames: readonly string[] };

/** The nodes of a graph model by name. TensorFlow.js does not publish its graph. */
export const graphNodes = (model: tf.GraphModel): Readonly<Record<string, GraphNode>> =>
  (model as unknown as { executor: { graph: { nodes: Record<string, GraphNode> } } }).executor.graph.nodes;

/** The node (`Identity_1`) of an output that has a name in the signature (`logits`), as converters write them. */
const signatureNode = (model: tf.GraphModel, name: string): string | undefined => {
  const { outputs = {} } = (model.modelSignature ?? {}) as { outputs?: Record<string, { name: string }> };
  return outputs[name]?.name.replace(/:0$/, '');
};

/** The node of an output of the model. `outputNodes` lists names of the signature where there are some. */
const nodeOf = (model: tf.GraphModel, output: string): string => signatureNode(model, output) ?? output;

/** Skips nodes that only pass their input on. */
const source = (nodes: Readonly<Record<string, GraphNode>>, name: string): string => {
  const node = nodes[name];
  return node && /^(Identity|IdentityN|StopGradient|NoOp)$/.test(node.op) && node.inputNames[0]
    ? source(nodes, node.inputNames[0].replace(/:\d+$/, ''))
    : name;
};

/** The logits of a graph model. */
export const graphHead = (model: tf.GraphModel, { output, input }: OutputOptions, drop: boolean): Head => {
  const nodes = graphNodes(model);
  const names = model.outputNodes;
  const chosen =
    output === undefined
      ? names.length === 1
        ? nodeOf(model, names[0]!)
        : refuse(
            `Expected one output, but the model has ${names.length}: ${signatureNames(model).join(', ')}. Give \`output\``,
          )
      : (signatureNode(model, output) ??
        (nodes[output] === undefined && output === 'logits' ? onlyLogitsNode(model) : undefined) ??
        output);
  const at = chosen.replace(/:\d+$/, '');
  if (nodes[at] === undefined) return refuseOutput(chosen, 'nodes', signatureNames(model));
  const last = source(nodes, at);
  const dropped = drop ? squashing(nodes[last]!.op) : 'none';
  const node = dropped === 'none' ? chosen : nodes[last]!.inputNames[0]!;
  const images = input ?? model.inputs[0]!.name;
  return { run: (x) => matrix(model.execute({ [images]: x }, node)), dropped };
};

const onlyLogitsNode = (model: tf.GraphModel): string | undefined => {
  const nodes = graphNodes(model);
  const found = model.outputNodes
    .map((name) => nodeOf(model, name))
    .filter((name) => squashing(nodes[source(nodes, name.replace(/:\d+$/, ''))]?.op ?? '') === 'none');
  return found.length === 1 ? found[0] : undefined;
};

const signatureNames = (model: tf.GraphModel): readonly string[] => {
  const { outputs } = (model.modelSignature ?? {}) as { outputs?: Record<string, unknown> };
  return outputs === undefined ? model.outputNodes : Object.keys(outputs);
};

/** Float32 holds smaller numbers than this only with fewer digits. */
const smallest = 1e-37;

/** log p: softmax(log p) = p. */
const logOf = (p: tf.Tensor2D): tf.Tensor2D => tf.log(tf.maximum(p, smallest));
/** log p − log(1 − p): the inverse of a sigmoid. Float32 has no number between 1 − 6e-8 and 1. */
const logitOf = (p: tf.Tensor2D): tf.Tensor2D => logOf(p).sub(tf.log(tf.maximum(tf.sub(1, p), 6e-8)));

/** Turns probabilities into logits. Whether rows sum to 1 shows if they come from a softmax or from sigmoids. */
export const invertProbabilities = (run: Run, sample: () => tf.Tensor): Run => {
  const isSoftmax = tf.tidy(() => {
    const p = run(sample());
    if (p.shape[1] === 1) return false;
    return tf.max(tf.abs(tf.sub(tf.sum(p, 1), 1))).dataSync()[0]! < 1e-4;
  });
  return (input) => (isSoftmax ? logOf(run(input)) : logitOf(run(input)));
};

/** One logit z as two: softmax([0, z]) gives class 1 the probability sigmoid(z). */
export const asTwoClasses =
  (run: Run): Run =>
  (input) => {
    const z = run(input); // [n, 1]
    return tf.concat([tf.zerosLike(z), z], 1);
  };
