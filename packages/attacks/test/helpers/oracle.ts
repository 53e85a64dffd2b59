/** Models and what Foolbox 1.8.0 found on them, from `../shared/oracle`, with the images from `../shared/data`. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { type ClassifierModel, classifierModel } from '../../src/index.ts';

const shared = fileURLToPath(new URL('../../../../../shared', import.meta.url));

export const oracleNames = ['mnist-conv', 'mnist-mlp', 'fashion-conv', 'fashion-mlp'] as const;
export type OracleName = (typeof oracleNames)[number];
export type OracleRow = { readonly l2: number; readonly linf: number; readonly l0: number } | null;
export type Oracle = {
  readonly indices: readonly number[];
  readonly attacks: Readonly<
    Record<
      string,
      { readonly settings: Readonly<Record<string, unknown>>; readonly rows: readonly OracleRow[] }
    >
  >;
};

export const hasOracle = existsSync(`${shared}/oracle`) && existsSync(`${shared}/data/mnist`);
/** Said once by every suite that needs the folder. */
export const oracleMissing = 'skipped: ../shared/oracle and ../shared/data are not beside this checkout';

export const loadOracle = (name: OracleName): Oracle =>
  JSON.parse(readFileSync(`${shared}/oracle/${name}/foolbox-1.8.0.json`, 'utf8'));

export const loadLayersModel = async (name: OracleName): Promise<tf.LayersModel> => {
  const folder = `${shared}/oracle/${name}`;
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8'));
  const weights = readFileSync(`${folder}/weights.bin`);
  const weightData = weights.buffer.slice(
    weights.byteOffset,
    weights.byteOffset + weights.byteLength,
  ) as ArrayBuffer; // readFileSync never shares
  return tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
  );
};

export const loadClassifier = async (name: OracleName): Promise<ClassifierModel> =>
  classifierModel(await loadLayersModel(name));

export type Images = {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly indices: readonly number[];
};

const readIdx = (folder: string, file: string): Buffer =>
  gunzipSync(readFileSync(`${shared}/data/${folder}/${file}`));

/** Test images by index, values in [0, 1]. IDX: a header of 16 bytes before images, of 8 before labels. */
export const loadImages = (model: OracleName, indices: readonly number[]): Images => {
  const folder = model.startsWith('mnist') ? 'mnist' : 'fashion-mnist';
  const pixels = readIdx(folder, 't10k-images-idx3-ubyte.gz').subarray(16);
  const classes = readIdx(folder, 't10k-labels-idx1-ubyte.gz').subarray(8);
  const images = new Float32Array(indices.length * 784);
  indices.forEach((index, row) => {
    for (let i = 0; i < 784; i++) images[row * 784 + i] = pixels[index * 784 + i]! / 255;
  });
  return { images, labels: Int32Array.from(indices, (index) => classes[index]!), indices };
};
