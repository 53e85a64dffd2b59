/** The text of a model.json; of another file, what it is instead. */
import { AppError } from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';

export type ModelJson = {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly signature?: object;
  readonly userDefinedMetadata?: object;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: tf.io.WeightsManifestEntry[];
  }[];
};

export const notAModel = (file: string, why: string): never => {
  throw new AppError(
    'ATTACK_INPUT',
    `Expected ${file} to be a TensorFlow.js model (a folder with a model.json, layers or graph model), but ${why}`,
  );
};

const convert = 'Models in other formats must be converted: docs/models.md has the commands';

/** How files of other formats begin, in Latin-1. */
const kinds: readonly (readonly [start: string, kind: string])[] = [
  ['\x93NUMPY', 'an array in NPY format, so images or labels'],
  ['\x89PNG', 'a picture (PNG)'],
  ['\xff\xd8\xff', 'a picture (JPEG)'],
  ['GIF8', 'a picture (GIF)'],
  ['\x89HDF', `an HDF5 file, such as Keras writes. ${convert}`],
  ['PK\x03\x04', `a ZIP archive, such as .npz, .keras and .pt. ${convert}`],
  ['\x1f\x8b', 'compressed by gzip. Unpack it first'],
];

/** What a file is that is no JSON. */
const kindOf = (bytes: Uint8Array): string => {
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  const kind = kinds.find(([begin]) => start.startsWith(begin));
  if (kind) return kind[1];
  if (bytes.length === 0) return 'empty';
  const isText = !bytes.subarray(0, 1000).some((byte) => byte < 9);
  return isText ? 'a text that is no JSON' : `a binary file. ${convert}`;
};

/** Errors: ATTACK_INPUT for a file that is no model.json. */
export const readModelJson = (file: string, bytes: Uint8Array): ModelJson => {
  let json: ModelJson | null = null;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return notAModel(file, `it is ${kindOf(bytes)}`);
  }
  if (
    typeof json !== 'object' ||
    json === null ||
    !json.modelTopology ||
    !Array.isArray(json.weightsManifest)
  )
    return notAModel(file, 'it is JSON without a modelTopology or without a weightsManifest');
  return json;
};
