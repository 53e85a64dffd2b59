import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClassifierModel, classifierModel } from '@funnel/attacks';
import { AppError, type DatasetName, datasets } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { Exit, exitCodes } from '../exit.ts';

type ModelJson = {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly signature?: object;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: tf.io.WeightsManifestEntry[];
  }[];
};

const refuseModel = (path: string, why: string): Exit =>
  new Exit(
    exitCodes.usage,
    `Expected ${path} to be a TensorFlow.js model (a folder with a model.json, layers or graph model), but ${why}`,
  );

const readJson = (path: string): ModelJson => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuseModel(path, error instanceof Error ? error.message : String(error));
  }
};

/** The model.json of a folder, or the path itself. */
const modelFile = (path: string): string => {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? join(path, 'model.json') : path;
};

/** Loads a layers or graph model, whose weights lie beside its model.json. Throws Exit that says what is wrong with the files. */
export const loadModel = async (path: string): Promise<tf.LayersModel | tf.GraphModel> => {
  const file = modelFile(path);
  const { format, modelTopology, signature, weightsManifest } = readJson(file);
  if (!modelTopology || !weightsManifest)
    throw refuseModel(file, 'it has no modelTopology or no weightsManifest');
  const readShard = (shard: string): Buffer => {
    try {
      return readFileSync(join(dirname(file), shard));
    } catch (error) {
      throw refuseModel(
        file,
        `its weights could not be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const weights = Buffer.concat(weightsManifest.flatMap(({ paths }) => paths.map(readShard)));
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology,
    signature,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  };
  const handler = { load: async () => artifacts };
  try {
    return format === 'graph-model' ? await tf.loadGraphModel(handler) : await tf.loadLayersModel(handler);
  } catch (error) {
    throw refuseModel(
      file,
      `TensorFlow.js refuses it: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/**
 * The model of a folder as a classifier of a data set's images. A model without a fixed image size takes the data set's size. A model
 * that takes flat vectors gets flattened images. Throws ATTACK_INPUT when the sizes differ.
 */
export const loadClassifier = async (folder: string, dataset: DatasetName): Promise<ClassifierModel> => {
  const model = await loadModel(folder);
  const { shape, title } = datasets[dataset];
  const [input, ...others] = model.inputs;
  const declared = input?.shape?.slice(1) ?? [];
  const isOpen = declared.length !== 1 && declared.some((size) => !(size !== null && size > 0));
  const classifier = classifierModel(model, isOpen && others.length === 0 ? { shape } : {});
  if (sizeOf(classifier.shape) !== sizeOf(shape))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected a model of images [${shape.join(', ')}], the shape of ${title}, but this one takes [${classifier.shape.join(', ')}]`,
    );
  return classifier;
};
