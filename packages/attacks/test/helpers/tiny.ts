/** The backend of the tests, and small classifiers of 8×8 images with seeded weights, with images that they classify correctly. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { type ClassifierModel, classifierModel } from '../../src/index.ts';
import { createRandom } from '../../src/random.ts';

export const side = 8;
export const classes = 5;
const width = side * side;

const draw = (
  rows: number,
  columns: number,
  scale: number,
  ...path: readonly (string | number)[]
): tf.Tensor2D => {
  const random = createRandom(...path);
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => scale * random.normal()),
    [rows, columns],
  );
};

export type Tiny = {
  readonly model: ClassifierModel;
  readonly encoder: (images: tf.Tensor) => tf.Tensor2D;
  readonly dispose: () => void;
};

/** z = W₂·tanh(W₁·x): smooth, so that finite differences are exact enough. `sharpness` scales the logits. */
export const tinyNetwork = (seed: number, sharpness = 1): Tiny => {
  const hidden = 16;
  const w1 = draw(width, hidden, 1.5 / Math.sqrt(width), seed, 'w1');
  const w2 = draw(hidden, classes, sharpness, seed, 'w2');
  const encoder = (images: tf.Tensor) =>
    tf.tanh(tf.matMul(images.reshape<tf.Tensor2D>([-1, width]).sub(0.5), w1)) as tf.Tensor2D;
  const model = classifierModel((images) => tf.matMul(encoder(images), w2), { shape: [side, side, 1] });
  return { model, encoder, dispose: () => tf.dispose([w1, w2]) };
};

/** z = W·x + b. */
export const linearModel = (
  weights: readonly (readonly number[])[],
  bias: readonly number[],
  shape: readonly number[],
) => {
  const w = tf.tensor2d(weights.map((row) => [...row]));
  const b = tf.tensor1d([...bias]);
  const model = classifierModel(
    (images) => tf.matMul(images.reshape<tf.Tensor2D>([-1, w.shape[0]]), w).add(b),
    { shape },
  );
  return { model, dispose: () => tf.dispose([w, b]) };
};

/** Seeded images with pixels at 0 and between 0 and 1, labelled as the model classifies them. */
export const tinyImages = (model: ClassifierModel, count: number, seed = 1) => {
  const random = createRandom(seed, 'images');
  const images = Float32Array.from({ length: count * width }, () =>
    random.uniform() < 0.3 ? 0 : random.uniform(),
  );
  const labels = tf.tidy(() =>
    tf.argMax(model.logits(tf.tensor(images, [count, side, side, 1])), 1).dataSync<'int32'>(),
  );
  return { images, labels: Int32Array.from(labels) };
};

/** The wasm backend with one thread. */
export const useWasm = async (): Promise<void> => {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  setWasmPaths(`${folder}/`);
  setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
};
