/** The models of `fixtures/oracle`, what Foolbox 1.8.0 found on them, and the images of `fixtures/data`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { type ClassifierModel, classifierModel } from '../../src/index.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures', import.meta.url));

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

export const loadOracle = (name: OracleName): Oracle =>
  JSON.parse(readFileSync(`${fixtures}/oracle/${name}/foolbox-1.8.0.json`, 'utf8'));

export const loadLayersModel = async (name: OracleName): Promise<tf.LayersModel> => {
  const folder = `${fixtures}/oracle/${name}`;
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8'));
  const weights = readFileSync(`${folder}/weights.bin`);
  const weightData = weights.buffer.slice(
    weights.byteOffset,
    weights.byteOffset + weights.byteLength,
  ) as ArrayBuffer; // readFileSync returns no SharedArrayBuffer
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

const read = (folder: string, file: string): Buffer =>
  gunzipSync(readFileSync(`${fixtures}/data/${folder}/${file}-ubyte.gz`));

/**
 * Images by index, values in [0, 1]. The fixtures hold the first 1,000 images of each part of MNIST and the first 200 test images of
 * Fashion-MNIST.
 */
export const loadImages = (
  model: OracleName,
  indices: readonly number[],
  part: 't10k' | 'train' = 't10k',
): Images => {
  const folder = model.startsWith('mnist') ? 'mnist' : 'fashion-mnist';
  // IDX: a header of 16 bytes before images, of 8 before labels.
  const pixels = read(folder, `${part}-images-idx3`).subarray(16);
  const classes = read(folder, `${part}-labels-idx1`).subarray(8);
  const images = new Float32Array(indices.length * 784);
  indices.forEach((index, row) => {
    for (let i = 0; i < 784; i++) images[row * 784 + i] = pixels[index * 784 + i]! / 255;
  });
  return { images, labels: Int32Array.from(indices, (index) => classes[index]!), indices };
};
