/** The input of an evaluation: a classifier, images and labels. The functions here check it. All their errors are ATTACK_INPUT. */
import { AppError } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';

export type ClassifierModel = {
  /** `[n, ...shape]` in `bounds` → `[n, classes]` logits. Differentiable and deterministic; no row depends on another row. */
  readonly logits: (images: tf.Tensor) => tf.Tensor2D;
  /** The shape of one image, such as `[28, 28, 1]`. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** The lowest and the highest pixel value. */
  readonly bounds: readonly [number, number];
  /** Present when a defence stands before the classifier: it rejects images, and may change the others. */
  readonly defence?: {
    /** The classifier without the defence, `[n, ...shape]` → `[n, classes]`; an oblivious attack works against it. */
    readonly bare: (images: tf.Tensor) => tf.Tensor2D;
    /** `[n, ...shape]` → `[n]`: 0 or more when the defence rejects the image. Differentiable. */
    readonly suspicion: (images: tf.Tensor) => tf.Tensor1D;
  };
};

export type ModelOptions = {
  /** The shape of one image. Required for a function, and for a model that leaves its height or width open. */
  readonly shape?: readonly number[];
  /** The number of classes. Default: the width of the model's output. */
  readonly classes?: number;
  /** The lowest and the highest pixel value. Default [0, 1]. */
  readonly bounds?: readonly [number, number];
};

type Classifier = tf.LayersModel | tf.GraphModel | ((images: tf.Tensor) => tf.Tensor);

/** Wraps a TensorFlow.js layers model, a graph model or a function. Errors: ATTACK_INPUT when the shapes do not fit a classifier. */
export const classifierModel = (model: Classifier, options: ModelOptions = {}): ClassifierModel => {
  const bounds = options.bounds ?? [0, 1];
  if (!(bounds[0] < bounds[1]))
    refuse(`Expected bounds [low, high] with low < high, but got [${bounds.join(', ')}]`);
  const shape = options.shape ?? (typeof model === 'function' ? undefined : imageShape(model));
  if (shape === undefined || shape.length === 0 || shape.some((size) => !Number.isInteger(size) || size < 1))
    return refuse(
      `Expected the shape of one image, such as [28, 28, 1], but got ${JSON.stringify(shape)}: give \`shape\``,
    );
  const logits = logitsFunction(model);
  const classes = options.classes ?? classCount(logits, shape);
  return { logits, shape, classes, bounds };
};

const refuse = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

const imageShape = (model: tf.LayersModel | tf.GraphModel): readonly number[] | undefined => {
  const inputs = model.inputs;
  if (inputs.length !== 1)
    refuse(`Expected a model with one input, the images, but got ${inputs.length} inputs`);
  const shape = inputs[0]?.shape?.slice(1);
  return shape?.every((size): size is number => typeof size === 'number' && size > 0) ? shape : undefined;
};

const logitsFunction = (model: Classifier): ClassifierModel['logits'] => {
  if (typeof model === 'function') return (images) => singleOutput(model(images));
  // `apply`, not `predict`: `predict` splits batches and hides the operations from the gradient tape.
  if (model instanceof tf.LayersModel)
    return (images) => singleOutput(model.apply(images, { training: false }));
  return (images) => singleOutput(model.predict(images));
};

const singleOutput = (output: unknown): tf.Tensor2D => {
  if (!(output instanceof tf.Tensor))
    return refuse('Expected a model with one output, the logits, but got several outputs');
  if (output.rank !== 2)
    refuse(`Expected logits of shape [batch, classes], but got [${output.shape.join(', ')}]`);
  return output as tf.Tensor2D; // rank checked
};

const classCount = (logits: ClassifierModel['logits'], shape: readonly number[]): number =>
  tf.tidy(() => logits(tf.zeros([1, ...shape])).shape[1]);

/** Returns the images as a new tensor of rows in [0, 1], `[n, width]`. */
export const checkImages = async (
  images: tf.Tensor | Float32Array,
  model: ClassifierModel,
): Promise<tf.Tensor2D> => {
  const [low, high] = model.bounds;
  const width = model.shape.reduce((product, size) => product * size, 1);
  if (images instanceof tf.Tensor) {
    if (JSON.stringify(images.shape.slice(1)) !== JSON.stringify(model.shape))
      refuse(`Expected images of shape [n, ${model.shape.join(', ')}], but got [${images.shape.join(', ')}]`);
  } else if (images.length % width !== 0) {
    refuse(
      `Expected a multiple of ${width} values for images of shape [${model.shape.join(', ')}], but got ${images.length}`,
    );
  }
  const values = images instanceof tf.Tensor ? await images.data<'float32'>() : images;
  const invalid = values.findIndex((value) => !(value >= low && value <= high)); // true for NaN
  if (invalid >= 0)
    refuse(
      `Expected pixels in [${low}, ${high}], but got ${values[invalid]} in image ${Math.floor(invalid / width)}: scale the images, or give \`bounds\``,
    );
  return tf.tensor2d(
    Float32Array.from(values, (value) => (value - low) / (high - low)),
    [values.length / width, width],
  );
};

export const checkLabels = (labels: ArrayLike<number>, images: number, classes: number): Int32Array => {
  if (labels.length !== images)
    refuse(`Expected one label per image, but got ${labels.length} for ${images} images`);
  for (let i = 0; i < images; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      refuse(`Expected labels from 0 to ${classes - 1}, but got ${label} for image ${i}`);
  }
  return Int32Array.from(labels);
};

/** Checks the outputs for the clean images: they must be finite, and logits, not probabilities (H12, `outputs-are-probabilities`). */
export const checkLogits = (logits: Float32Array, classes: number): void => {
  const invalid = logits.findIndex((value) => !Number.isFinite(value));
  if (invalid >= 0)
    refuse(`Expected finite logits, but got ${logits[invalid]} for image ${Math.floor(invalid / classes)}`);
  if (areProbabilities(logits, classes))
    refuse(
      'Expected logits, but got probabilities (every row lies in [0, 1] and sums to 1): give the model without its last softmax',
    );
};

/**
 * Returns true when every row lies within [0, 1] and sums to 1 ± 1e-5. The gradient of an attack on probabilities vanishes, the attack
 * finds nothing, and the model looks robust.
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
