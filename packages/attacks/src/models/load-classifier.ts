/** Reads a TensorFlow.js model from a file, a folder or an address, and says of other formats how to convert them. */
import { AppError, fixedLimit, whyUnreadable } from '@funnel/contracts';
import { download, reasonOf } from '@funnel/contracts/download';
import { operatorTable } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { hasFiles, isFile, isFolder, joinPath, readBytes } from '#files';
import {
  type ClassifierModel,
  classifierModel,
  type ModelOptions,
  modelOptionChecks,
} from '../classifier.ts';
import { checkOptions, nameOf, type OptionChecks, object, signal, text } from '../options.ts';
import { readGraph } from './graphs.ts';
import { asGraph, isKeras3, layerTree, readKeras3 } from './keras.ts';
import { registerKeras3 } from './keras-classes.ts';
import { setKeras3Weights } from './keras-weights.ts';
import { notAModel, readModelJson } from './model-json.ts';

export type LoadOptions = ModelOptions & {
  /** Sent with each request for an address, such as an Authorization header. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * An origin that may use http, such as `http://10.0.0.5:7070`. All other addresses must use https, except for localhost. (Default: in a
   * browser, that of the page)
   */
  readonly trustedOrigin?: string;
  readonly signal?: AbortSignal;
};

const optionChecks: OptionChecks<LoadOptions> = {
  ...modelOptionChecks,
  headers: object,
  trustedOrigin: text,
  signal,
};

const refuse = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

/**
 * Loads a layers or graph model as a classifier. `source`: a folder with a model.json, such a file, or the http address of one (a folder's
 * address may leave `/model.json` out). Errors: ATTACK_INPUT when the model cannot be read, with the way out; the signal's reason.
 */
export const loadClassifier = async (source: string, options: LoadOptions = {}): Promise<ClassifierModel> => {
  checkOptions(options, optionChecks);
  if (typeof source !== 'string')
    refuse(`Expected the path or the address of a model, but got ${nameOf(source)}`);
  const { headers: _headers, trustedOrigin: _origin, signal: _signal, ...modelOptions } = options;
  const model = await loadModel(source, options);
  try {
    const classifier = classifierModel(model, modelOptions);
    await refuseWrongOperators(classifier, source);
    return classifier;
  } catch (error) {
    const [, kernel, backend] =
      /Kernel '(\w+)' not registered for backend '(\w+)'/.exec(error instanceof Error ? error.message : '') ??
      [];
    if (kernel !== undefined)
      return refuse(
        `Expected operators that the backend ${backend} has, but ${source} contains ${kernel}, which it lacks. ${otherBackend(backend!)}`,
      );
    const [, operator] = /dynamic op '(\w+)'/.exec(error instanceof Error ? error.message : '') ?? [];
    if (operator === undefined) throw error;
    return refuse(
      `Expected a model without dynamic operators, but ${source} contains ${operator}, which has no gradient in TensorFlow.js. Export the model up to its logits, or name a node before ${operator} with \`output\``,
    );
  }
};

const otherBackend = (backend: string): string =>
  backend === 'cpu'
    ? 'Replace the operator, or name a layer or node before it with `output`'
    : 'Take the backend cpu, which has more operators and is about ten times slower (`--backend cpu`), or replace the operator';

/** Refuses a model with an operator that this backend computes wrongly, according to the table in `docs/operators.md`. */
const refuseWrongOperators = async (
  { logits, shape, bounds }: ClassifierModel,
  source: string,
): Promise<void> => {
  const backend = tf.getBackend();
  if (backend !== 'cpu' && backend !== 'wasm') return;
  const { kernelNames } = await tf.profile(() => {
    tf.tidy(() => void logits(tf.fill([1, ...shape], bounds[0])));
  });
  const wrong = kernelNames.find((name) => operatorTable[name]?.[backend].forward === 'wrong');
  if (wrong === undefined) return;
  const other = backend === 'cpu' ? 'wasm' : 'cpu';
  refuse(
    `Expected operators that the backend ${backend} computes right, but ${source} contains ${wrong}, which it computes wrongly. Take the backend ${other} (\`--backend ${other}\`)`,
  );
};

/** Loads a layers or graph model. */
export const loadModel = async (
  source: string,
  options: SourceOptions = {},
): Promise<tf.LayersModel | tf.GraphModel> => {
  const { base, file } = await locate(source);
  const read = (path: string, maxBytes: number) => readAny(path, maxBytes, options);
  const bytes = await read(file, fixedLimit('modelTopologyBytes')).catch(refuseFile(file));
  const { format, modelTopology, signature, weightsManifest, userDefinedMetadata } = readModelJson(
    file,
    bytes,
  );
  const groups = weightsManifest!;
  const shards: Uint8Array[] = [];
  let left = fixedLimit('modelWeightBytes');
  for (const path of groups.flatMap(({ paths }) => paths)) {
    const shard = await read(within(base, path, file), left).catch(
      refuseFile(file, `its weights ${path} cannot be read: `),
    );
    left -= shard.byteLength;
    shards.push(shard);
  }
  const weightSpecs = groups.flatMap(({ weights }) => weights);
  const weightData = joined(shards);
  try {
    if (format !== 'graph-model' && isKeras3(modelTopology!)) {
      registerKeras3();
      const model = await tf.loadLayersModel({
        load: async () => ({ modelTopology: readKeras3(modelTopology!) }),
      });
      setKeras3Weights(model, tf.io.decodeWeights(weightData, weightSpecs), layerTree(modelTopology!));
      return model;
    }
    if (format !== 'graph-model')
      return await tf.loadLayersModel({
        load: async () => ({ modelTopology: modelTopology!, weightSpecs, weightData }),
      });
    const graph = readGraph(modelTopology!, weightSpecs);
    return await tf.loadGraphModel({
      load: async () => ({
        modelTopology: graph.topology,
        weightSpecs: graph.specs,
        weightData,
        ...(signature && { signature }),
        ...(userDefinedMetadata && { userDefinedMetadata: userDefinedMetadata as Record<string, never> }),
      }),
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    return refuse(explain(file, error instanceof Error ? error.message : String(error)));
  }
};

const refuseFile =
  (file: string, what = '') =>
  (error: unknown): never => {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    return notAModel(file, `${what}${whyUnreadable(error)}`);
  };

type SourceOptions = Pick<LoadOptions, 'headers' | 'signal' | 'trustedOrigin'>;

/** The address of the page in a browser. */
const pageAddress = (): string | undefined =>
  (globalThis as { document?: { baseURI: string } }).document?.baseURI;

const isAddress = (source: string): boolean => /^https?:\/\//i.test(source);

/** Weights lie beside the model.json or below it. */
const within = (base: string, path: string, file: string): string => {
  if (/^([\\/]|[a-z]+:)|(^|[\\/])\.\.([\\/]|$)/i.test(path))
    return notAModel(file, `its weights lie outside of its folder (${path})`);
  return isAddress(base) || !hasFiles ? new URL(path, base).href : joinPath(base, path);
};

/** The commands that convert other formats. */
const conversions: readonly (readonly [pattern: RegExp, convert: (path: string) => string])[] = [
  [/\.(h5|hdf5)$/i, (path) => `tensorflowjs_converter --input_format=keras ${path} OUT`],
  [
    /\.keras$/i,
    (path) =>
      `tensorflowjs_converter --input_format=keras_keras --output_format=tfjs_layers_model ${path} OUT`,
  ],
  [
    /(^|[\\/])saved_model\.pb$/i,
    (path) =>
      `tensorflowjs_converter --input_format=tf_saved_model ${path.replace(/[\\/]?saved_model\.pb$/i, '') || '.'} OUT`,
  ],
  [
    /\.tflite$/i,
    () =>
      'tensorflowjs_converter --input_format=tf_saved_model SAVED_MODEL OUT, from the model before it became .tflite',
  ],
  [
    /\.onnx$/i,
    (path) =>
      `onnx2tf -i ${path} -o SAVED_MODEL && tensorflowjs_converter --input_format=tf_saved_model SAVED_MODEL OUT`,
  ],
  [
    /\.(pt|pth|safetensors|ckpt|bin)$/i,
    () =>
      'torch.onnx.export(model, images, "model.onnx") in Python, then onnx2tf -i model.onnx -o SAVED_MODEL && tensorflowjs_converter --input_format=tf_saved_model SAVED_MODEL OUT',
  ],
];

/** Weights stand beside the model.json that names them. */
const refuseWeights = async (source: string): Promise<void> => {
  if (!/\.bin$/i.test(source)) return;
  const folder = joinPath(source, '..');
  const model = joinPath(folder, 'model.json');
  if (await isFile(model))
    refuse(
      `Expected a TensorFlow.js model, but got the weights ${source} of one. Give its folder ${folder} or its file ${model}`,
    );
};

const refuseFormat = (source: string): void => {
  const conversion = conversions.find(([pattern]) => pattern.test(source));
  if (conversion)
    refuse(
      `Expected a TensorFlow.js model, but got ${source}. Convert it: ${conversion[1](source)}, then give the folder OUT. Where pip finds no fitting tensorflowjs_converter, python3 examples/own-model/convert.py in Funnel's repository takes the same arguments`,
    );
};

/** The model.json of a source, and the folder or address that its weights are relative to. */
const locate = async (source: string): Promise<{ readonly base: string; readonly file: string }> => {
  if (isAddress(source) || !hasFiles) {
    const url = new URL(source, pageAddress());
    refuseFormat(url.pathname);
    if (!url.pathname.endsWith('.json')) url.pathname = `${url.pathname.replace(/\/$/, '')}/model.json`;
    return { base: url.href, file: url.href };
  }
  if (await isFolder(source)) {
    const file = joinPath(source, 'model.json');
    if (!(await isFile(file)) && (await isFile(joinPath(source, 'saved_model.pb'))))
      refuseFormat(joinPath(source, 'saved_model.pb'));
    return { base: source, file };
  }
  await refuseWeights(source);
  if (await isFile(source)) refuseFormat(source); // else the reader says that there is none
  return { base: joinPath(source, '..'), file: source };
};

const readAny = (path: string, maxBytes: number, options: SourceOptions): Promise<Uint8Array> =>
  isAddress(path)
    ? download(path, {
        trustedOrigin: pageAddress() === undefined ? undefined : new URL(pageAddress()!).origin,
        ...options,
        maxBytes,
        seconds: fixedLimit('modelSeconds'),
        idleSeconds: fixedLimit('modelIdleSeconds'),
      }).catch((error: unknown) => {
        throw options.signal?.aborted ? error : new Error(`${path}: ${reasonOf(error)}`);
      })
    : readBytes(path, maxBytes);

const joined = (parts: readonly Uint8Array[]): ArrayBuffer => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all.buffer;
};

/** The reader of TensorFlow.js names a class or an activation, and asks to register it. */
const explain = (file: string, message: string): string => {
  const [, kind, name] = /Unknown (layer|activation): (\w+)/.exec(message) ?? [];
  if (name !== undefined)
    return `Expected layers and activations that TensorFlow.js has, but ${file} contains the ${kind} ${name}: replace it by a built-in one, or ${asGraph}. In a program, tf.serialization.registerClass makes it known`;
  return `Expected ${file} to be a TensorFlow.js model (a folder with a model.json, layers or graph model), but TensorFlow.js refuses it: ${message}`;
};
