/** Any classifier as a function from images to logits, with the bounds of its pixels. */
import { AppError } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';

export type ClassifierModel = {
  /** `[n, ...shape]` in `bounds` → `[n, classes]` logits. Differentiable, deterministic, rows independent of one another. */
  readonly logits: (images: tf.Tensor) => tf.Tensor2D;
  /** One image, such as `[28, 28, 1]`. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** Least and greatest pixel value. */
  readonly bounds: readonly [number, number];
  /** Where the model is a classifier behind a defence that rejects images, and perhaps changes the others first. */
  readonly defence?: {
    /** The classifier alone, which an oblivious attack is made against: `[n, ...shape]` → `[n, classes]`. */
    readonly bare: (images: tf.Tensor) => tf.Tensor2D;
    /** `[n, ...shape]` → `[n]`: not below 0 where the image is rejected. Differentiable. */
    readonly suspicion: (images: tf.Tensor) => tf.Tensor1D;
  };
};

export type ModelOptions = {
  /** Needed for a function, and where a model leaves its height or width open. */
  readonly shape?: readonly number[];
  /** Needed for a function; else read from the model's output. */
  readonly classes?: number;
  /** Default [0, 1]. */
  readonly bounds?: readonly [number, number];
};

type Classifier = tf.LayersModel | tf.GraphModel | ((images: tf.Tensor) => tf.Tensor);

/** Wraps a function or a TensorFlow.js layers or graph model. Throws ATTACK_INPUT where the shapes are not of a classifier. */
export const classifierModel = (model: Classifier, options: ModelOptions = {}): ClassifierModel => {
  const bounds = options.bounds ?? [0, 1];
  if (!(bounds[0] < bounds[1]))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected bounds [low, high] with low < high, but got [${bounds.join(', ')}]`,
    );
  const shape = options.shape ?? (typeof model === 'function' ? undefined : imageShape(model));
  if (shape === undefined || shape.length === 0 || shape.some((size) => !Number.isInteger(size) || size < 1))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected the shape of one image, such as [28, 28, 1], but got ${JSON.stringify(shape)}: give \`shape\``,
    );
  const logits = logitsFunction(model);
  const classes = options.classes ?? classCount(logits, shape);
  return { logits, shape, classes, bounds };
};

const logitsFunction = (model: Classifier): ClassifierModel['logits'] => {
  if (typeof model === 'function') return (images) => single(model(images));
  // `apply` and not `predict`: predict splits batches and hides the operations from the gradient tape.
  if (model instanceof tf.LayersModel) return (images) => single(model.apply(images, { training: false }));
  return (images) => single(model.predict(images));
};

/** A classifier has one output; what else `apply` may return is refused with its name. */
const single = (output: unknown): tf.Tensor2D => {
  if (!(output instanceof tf.Tensor))
    throw new AppError('ATTACK_INPUT', 'Expected a model with one output, the logits, but got several');
  if (output.rank !== 2)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected logits of shape [batch, classes], but got [${output.shape.join(', ')}]`,
    );
  return output as tf.Tensor2D; // rank checked
};

const imageShape = (model: tf.LayersModel | tf.GraphModel): readonly number[] | undefined => {
  const inputs = model.inputs;
  if (inputs.length !== 1)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected a model with one input, the images, but got ${inputs.length}`,
    );
  const shape = inputs[0]?.shape?.slice(1);
  return shape?.every((size): size is number => typeof size === 'number' && size > 0) ? shape : undefined;
};

const classCount = (logits: ClassifierModel['logits'], shape: readonly number[]): number =>
  tf.tidy(() => logits(tf.zeros([1, ...shape])).shape[1]);

/**
 * H12: rows within [0, 1] that sum to 1 ± 1e-5 are probabilities. Attacks on them meet vanished gradients and find nothing, which
 * looks like robustness.
 */
export const areProbabilities = (logits: Float32Array, classes: number): boolean => {
  if (logits.length === 0) return false;
  for (let start = 0; start < logits.length; start += classes) {
    let sum = 0;
    for (let k = start; k < start + classes; k++) {
      const value = logits[k]!;
      if (!(value >= 0 && value <= 1)) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > 1e-5 * Math.max(1, classes / 10)) return false;
  }
  return true;
};

// What is asked of images, labels and logits before an attack is believed. All errors are ATTACK_INPUT.

const fault = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

/** The images as rows in [0, 1], `[n, width]`: a new tensor. */
export const checkImages = async (
  images: tf.Tensor | Float32Array,
  model: ClassifierModel,
): Promise<tf.Tensor2D> => {
  const [low, high] = model.bounds;
  const width = model.shape.reduce((product, size) => product * size, 1);
  if (images instanceof tf.Tensor) {
    if (JSON.stringify(images.shape.slice(1)) !== JSON.stringify(model.shape))
      fault(`Expected images of shape [n, ${model.shape.join(', ')}], but got [${images.shape.join(', ')}]`);
  } else if (images.length % width !== 0) {
    fault(
      `Expected a multiple of ${width} values for images of shape [${model.shape.join(', ')}], but got ${images.length}`,
    );
  }
  const values = images instanceof tf.Tensor ? await images.data<'float32'>() : images;
  const stray = values.findIndex((value) => !(value >= low && value <= high));
  if (stray >= 0)
    fault(
      `Expected pixels in [${low}, ${high}], but got ${values[stray]} in image ${Math.floor(stray / width)}: scale the images, or give \`bounds\``,
    );
  return tf.tensor2d(
    Float32Array.from(values, (value) => (value - low) / (high - low)),
    [values.length / width, width],
  );
};

export const checkLabels = (labels: ArrayLike<number>, images: number, classes: number): Int32Array => {
  if (labels.length !== images)
    fault(`Expected one label per image, but got ${labels.length} for ${images} images`);
  for (let i = 0; i < images; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      fault(`Expected labels from 0 to ${classes - 1}, but got ${label} for image ${i}`);
  }
  return Int32Array.from(labels);
};

/** Clean outputs must be finite, and logits, not probabilities (H12). */
export const checkLogits = (logits: Float32Array, classes: number): void => {
  const stray = logits.findIndex((value) => !Number.isFinite(value));
  if (stray >= 0)
    fault(`Expected finite logits, but got ${logits[stray]} for image ${Math.floor(stray / classes)}`);
  if (areProbabilities(logits, classes))
    fault(
      'Expected logits, but got probabilities (every row lies in [0, 1] and sums to 1): give the model without its last softmax',
    );
};
