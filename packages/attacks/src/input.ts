/** The images and labels of an evaluation. The functions here check them. All their errors are ATTACK_INPUT. */
import * as tf from '@tensorflow/tfjs';
import type { ClassifierModel } from './classifier.ts';
import { nameOf, refuse } from './options.ts';

/** Pixels are float32 numbers, and bounds such as 2.8215 are none: a pixel may pass them by this share of the range. */
const boundsRounding = 1e-6;

/** Returns the images as a new tensor of rows in [0, 1], `[n, width]`. */
const checkImages = async (
  images: tf.Tensor | Float32Array,
  model: ClassifierModel,
): Promise<tf.Tensor2D> => {
  const [low, high] = model.bounds;
  const width = model.shape.reduce((product, size) => product * size, 1);
  const areValues = ArrayBuffer.isView(images) || (Array.isArray(images) && typeof images[0] === 'number');
  if (!areValues && !(images instanceof tf.Tensor))
    refuse(
      `Expected images as a tensor of this TensorFlow.js, or as the Float32Array of its values, but got ${nameOf(images)}`,
    );
  if (images instanceof tf.Tensor) {
    if (JSON.stringify(images.shape.slice(1)) !== JSON.stringify(model.shape))
      refuse(`Expected images of shape [n, ${model.shape.join(', ')}], but got [${images.shape.join(', ')}]`);
  } else if (images.length % width !== 0) {
    refuse(
      `Expected a multiple of ${width} values for images of shape [${model.shape.join(', ')}], but got ${images.length}`,
    );
  }
  const values = images instanceof tf.Tensor ? await images.data<'float32'>() : images;
  const slack = boundsRounding * (high - low);
  const invalid = values.findIndex((value) => !(value >= low - slack && value <= high + slack)); // true for NaN
  if (invalid >= 0)
    refuse(
      `Expected pixels in [${low}, ${high}], but got ${values[invalid]} in image ${Math.floor(invalid / width)}: scale the images, or give \`bounds\``,
    );
  return tf.tensor2d(
    Float32Array.from(values, (value) => Math.min(1, Math.max(0, (value - low) / (high - low)))),
    [values.length / width, width],
  );
};

/** A copy, because the caller may change the labels while an evaluation runs. */
const copyLabels = (labels: ArrayLike<number>): readonly number[] => {
  if (typeof labels !== 'object' || typeof (labels as ArrayLike<number> | null)?.length !== 'number')
    refuse(
      `Expected labels as an array of class numbers, but got ${nameOf(labels)}${(labels as unknown) instanceof tf.Tensor ? ': give `await labels.data()`' : ''}`,
    );
  return Array.from(labels);
};

const checkLabels = (labels: readonly number[], images: number, classes: number): Int32Array => {
  if (labels.length !== images)
    refuse(`Expected one label per image, but got ${labels.length} for ${images} images`);
  for (let i = 0; i < images; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      const kind = typeof label === 'number' ? '' : `the ${typeof label} `;
      refuse(
        `Expected labels as whole numbers from 0 to ${classes - 1}, but got ${kind}${label} for image ${i}`,
      );
    }
  }
  return Int32Array.from(labels);
};

export type Input = {
  readonly images: tf.Tensor | Float32Array;
  readonly labels: ArrayLike<number>;
  readonly indices?: ArrayLike<number> | undefined;
};

type CheckedInput = {
  /** `[n, width]` in [0, 1]. The caller disposes of the tensor. */
  readonly images: tf.Tensor2D;
  readonly labels: Int32Array;
  /** The given indices, or 0 … n − 1. */
  readonly indices: readonly number[];
};

/** Checks and copies the input of an evaluation. The caller may change its arrays as soon as this function has returned its promise. */
export const checkInput = async (input: Input, model: ClassifierModel): Promise<CheckedInput> => {
  const given = copyLabels(input.labels);
  const places = copyIndices(input.indices);
  const images = await checkImages(input.images, model);
  try {
    const labels = checkLabels(given, images.shape[0], model.classes);
    return { images, labels, indices: checkIndices(places, labels.length) };
  } catch (error) {
    images.dispose();
    throw error;
  }
};

const copyIndices = (indices: ArrayLike<number> | undefined): readonly number[] | undefined => {
  if (indices === undefined) return undefined;
  if (typeof indices !== 'object' || typeof (indices as ArrayLike<number> | null)?.length !== 'number')
    refuse(`Expected indices as an array of whole numbers, but got ${nameOf(indices)}`);
  return Array.from(indices);
};

const checkIndices = (indices: readonly number[] | undefined, images: number): readonly number[] => {
  if (indices === undefined) return Array.from({ length: images }, (_, i) => i);
  if (indices.length !== images)
    refuse(`Expected one index per image, but got ${indices.length} for ${images} images`);
  const wrong = indices.find((index) => !Number.isSafeInteger(index) || index < 0);
  if (wrong !== undefined) refuse(`Expected indices as whole numbers of at least 0, but got ${wrong}`);
  return indices;
};
