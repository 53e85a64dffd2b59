/** The images and labels of an evaluation. The functions here check them. All their errors are ATTACK_INPUT. */
import * as tf from '@tensorflow/tfjs';
import type { ClassifierModel } from './classifier.ts';
import { nameOf, refuse } from './options.ts';

/** Pixels are float32 numbers, and bounds such as 2.8215 are none: a pixel may pass them by this share of the range. */
const boundsRounding = 1e-6;

/** Images that are read when they are needed, because as numbers of 32 bits they may be more than memory holds. */
export type ImageRows = {
  /** The number of images. */
  readonly count: number;
  /** `[rows.length, ...shape]` in the model's bounds, image by image. The same rows always give the same values. */
  readonly read: (rows: Int32Array) => Float32Array;
};

/** Images as the driver reads them. */
export type Images = {
  readonly count: number;
  /** Values per image. */
  readonly width: number;
  /** `[rows.length, width]` in [0, 1]: a new array. Throws ATTACK_INPUT where `ImageRows` gives wrong values. */
  readonly read: (rows: Int32Array) => Float32Array;
};

/** `[rows.length, width]` in [0, 1]. The tensor belongs to the caller. */
export const takeImages = ({ read, width }: Images, rows: Int32Array): tf.Tensor2D =>
  tf.tensor2d(read(rows), [rows.length, width]);

/** The rows 0 … count − 1 in parts of at most `size`. */
export function* partsOf(count: number, size: number): Generator<Int32Array, void, undefined> {
  for (let from = 0; from < count; from += size)
    yield Int32Array.from({ length: Math.min(size, count - from) }, (_, i) => from + i);
}

/** Returns the values on the scale [0, 1]. `imageAt`: the number of the i-th of these images. */
const toUnit = (
  values: ArrayLike<number> & Iterable<number>,
  { bounds: [low, high] }: ClassifierModel,
  width: number,
  imageAt: (i: number) => number,
): Float32Array => {
  const slack = boundsRounding * (high - low);
  return Float32Array.from(values, (value, at) => {
    // False for NaN.
    if (!(value >= low - slack && value <= high + slack))
      refuse(
        `Expected pixels in [${low}, ${high}], but got ${value} in image ${imageAt(Math.floor(at / width))}: scale the images, or give \`bounds\``,
      );
    return Math.min(1, Math.max(0, (value - low) / (high - low)));
  });
};

/** `values`: `[count, width]` in [0, 1]. */
const imagesInMemory = (values: Float32Array, width: number): Images => ({
  count: values.length / width,
  width,
  read: (rows) => {
    const taken = new Float32Array(rows.length * width);
    for (const [i, row] of rows.entries())
      taken.set(values.subarray(row * width, (row + 1) * width), i * width);
    return taken;
  },
});

const imagesToRead = ({ count, read }: ImageRows, model: ClassifierModel, width: number): Images => {
  if (!Number.isSafeInteger(count) || count < 0)
    refuse(`Expected \`images.count\` as a whole number of at least 0, but got ${nameOf(count)}`);
  return {
    count,
    width,
    read: (rows) => {
      const values = read(rows);
      const expected = rows.length * width;
      if (!(values instanceof Float32Array) || values.length !== expected)
        refuse(
          `Expected \`images.read\` to return a Float32Array of ${expected} values for ${rows.length} images of shape [${model.shape.join(', ')}], but got ${nameOf(values)} of ${values?.length}`,
        );
      return toUnit(values, model, width, (i) => rows[i]!);
    },
  };
};

const areRows = (images: Input['images']): images is ImageRows =>
  typeof (images as Partial<ImageRows> | null | undefined)?.read === 'function';

const checkImages = async (images: Input['images'], model: ClassifierModel): Promise<Images> => {
  const width = model.shape.reduce((product, size) => product * size, 1);
  if (areRows(images)) return imagesToRead(images, model, width);
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
  return imagesInMemory(
    toUnit(values, model, width, (i) => i),
    width,
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
  readonly images: tf.Tensor | Float32Array | ImageRows;
  readonly labels: ArrayLike<number>;
  readonly indices?: ArrayLike<number> | undefined;
};

type CheckedInput = {
  readonly images: Images;
  readonly labels: Int32Array;
  /** The given indices, or 0 … n − 1. */
  readonly indices: readonly number[];
};

/**
 * Checks the input of an evaluation, and copies arrays and tensors: the caller may change them as soon as this function has returned its
 * promise. Images that are read later are checked when they are read.
 */
export const checkInput = async (input: Input, model: ClassifierModel): Promise<CheckedInput> => {
  const given = copyLabels(input.labels);
  const places = copyIndices(input.indices);
  const images = await checkImages(input.images, model);
  const labels = checkLabels(given, images.count, model.classes);
  return { images, labels, indices: checkIndices(places, labels.length) };
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
