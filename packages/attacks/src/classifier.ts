/** The classifier of an evaluation, and the checks of it and of its outputs. All errors are ATTACK_INPUT. */
import * as tf from '@tensorflow/tfjs';
import { imageInput, inPartsOf, type Layout } from './models/layouts.ts';
import {
  asTwoClasses,
  graphHead,
  type Head,
  invertProbabilities,
  layersHead,
  matrix,
  type OutputOptions,
  type Run,
} from './models/outputs.ts';
import {
  checkOptions,
  flag,
  nameOf,
  numbers,
  type OptionChecks,
  oneOf,
  refuse,
  text,
  wholeFrom,
} from './options.ts';

export type ClassifierModel = {
  /** `[n, ...shape]` in `bounds` → `[n, classes]` logits. Differentiable and deterministic; no row depends on another row. */
  readonly logits: (images: tf.Tensor) => tf.Tensor2D;
  /** The shape of one image, such as `[28, 28, 1]`. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** The lowest and the highest pixel value. */
  readonly bounds: readonly [number, number];
  /** Frees the weights of the model. A wrapped function has none. */
  readonly dispose?: () => void;
  /** Present when a defence stands before the classifier: it rejects images, and may change the others. */
  readonly defence?: {
    /** The classifier without the defence, `[n, ...shape]` → `[n, classes]`; an oblivious attack works against it. */
    readonly bare: (images: tf.Tensor) => tf.Tensor2D;
    /** `[n, ...shape]` → `[n]`: 0 or more when the defence rejects the image. Differentiable. */
    readonly suspicion: (images: tf.Tensor) => tf.Tensor1D;
  };
};

export type ModelOptions = OutputOptions & {
  /**
   * The shape of one image, `[height, width, channels]`. Required for a function, for a model that leaves its height or width open, and
   * for a model that takes flat rows of pixels.
   */
  readonly shape?: readonly number[];
  /** Where the model's input has its channels. Default: as its shape shows. */
  readonly layout?: Layout;
  /** The number of classes. Default: the width of the model's output. */
  readonly classes?: number;
  /** The lowest and the highest pixel value. Default [0, 1]. */
  readonly bounds?: readonly [number, number];
};

export const modelOptionChecks: OptionChecks<ModelOptions> = {
  shape: numbers,
  layout: oneOf(['channels-last', 'channels-first']),
  classes: wholeFrom(2),
  bounds: numbers,
  output: text,
  input: text,
  fromProbabilities: flag,
};

type Classifier = tf.LayersModel | tf.GraphModel | ((images: tf.Tensor) => tf.Tensor);

/**
 * Wraps a TensorFlow.js layers model, a graph model or a function, `[n, ...shape]` → `[n, classes]`. A model may take its channels first,
 * images without a channel axis, flat rows, or batches of one fixed size; `outputs.ts` says what happens to its outputs. Errors:
 * ATTACK_INPUT when the shapes do not fit a classifier.
 */
export const classifierModel = (model: Classifier, options: ModelOptions = {}): ClassifierModel => {
  checkOptions(options, modelOptionChecks);
  if (typeof model !== 'function' && !Array.isArray((model as Partial<tf.LayersModel> | undefined)?.inputs))
    refuse(`Expected a layers model, a graph model or a function, but got ${nameOf(model)}`);
  const bounds = options.bounds ?? [0, 1];
  if (!(bounds[0] < bounds[1] && Number.isFinite(bounds[1] - bounds[0])))
    refuse(`Expected bounds [low, high] with low < high, but got [${bounds.join(', ')}]`);
  const declared = typeof model === 'function' ? undefined : declaredInput(model, options.input);
  const { shape, arrange } = imageInput(declared?.sizes, options.shape, options.layout);
  const sample = () => sampleImages(arrange, shape, bounds, declared?.batch);
  const zeros = () => arrange(tf.zeros([declared?.batch ?? 1, ...shape]));
  const run = logitsOf(model, options, { zeros, sample });
  const parts = declared?.batch === undefined ? run : inPartsOf(declared.batch, run);
  const logits = (images: tf.Tensor) => parts(arrange(images));
  const classes = options.classes ?? tf.tidy(() => logits(tf.zeros([1, ...shape])).shape[1]);
  const dispose = typeof model === 'function' ? {} : { dispose: () => void model.dispose() };
  return { logits, shape, classes, bounds, ...dispose };
};

/** Checks what a caller gives as the model of an attack. */
export const checkModel = (model: ClassifierModel): void => {
  if (typeof (model as ClassifierModel | undefined)?.logits !== 'function')
    refuse(
      `Expected the result of classifierModel, or of \`await loadClassifier\`, as \`model\`, but got ${nameOf(model)}`,
    );
  if (!(model.classes >= 2))
    refuse(`Expected a model of at least two classes, but got ${model.classes}: nothing could fool it`);
};

type DeclaredInput = {
  readonly sizes: readonly (number | null)[] | undefined;
  readonly batch: number | undefined;
};

const positive = (size: number | null | undefined): number | null => (size && size > 0 ? size : null);

/** The input that takes the images: its sizes, and the size of a batch where the model fixes it. */
const declaredInput = (model: tf.LayersModel | tf.GraphModel, name: string | undefined): DeclaredInput => {
  const { inputs } = model;
  const names = inputs.map((input) => input.name);
  const at = name === undefined ? 0 : names.indexOf(name);
  if (inputs.length !== 1)
    refuse(
      `Expected a model with one input, the images, but got ${inputs.length} inputs: ${names.join(', ')}. Export the model with the others built in`,
    );
  if (at < 0 && model instanceof tf.LayersModel)
    refuse(`Expected the input of the model (${names.join(', ')}), but got ${name}`);
  const shape = inputs[at]?.shape;
  return {
    sizes: shape?.slice(1).map(positive),
    batch: positive(shape?.[0]) ?? undefined,
  };
};

/** Four images of noise, for asking the model what its outputs look like. `[4, …]`, or as many as the model takes. */
const sampleImages = (
  arrange: (images: tf.Tensor) => tf.Tensor,
  shape: readonly number[],
  [low, high]: readonly [number, number],
  batch = 4,
): tf.Tensor => arrange(tf.randomUniform([batch, ...shape], low, high, 'float32', 1));

/** Input of the model → `[n, classes]` logits. */
const logitsOf = (
  model: Classifier,
  options: ModelOptions,
  { zeros, sample }: { readonly zeros: () => tf.Tensor; readonly sample: () => tf.Tensor },
): ((input: tf.Tensor) => tf.Tensor2D) => {
  const head = (drop: boolean): Head => {
    if (typeof model === 'function') return { run: (images) => matrix(model(images)), dropped: 'none' };
    return model instanceof tf.LayersModel
      ? layersHead(model, options, drop)
      : graphHead(model, options, drop);
  };
  const { fromProbabilities = false } = options;
  const plain = head(fromProbabilities);
  const isSingle = options.classes === undefined && tf.tidy(() => plain.run(zeros()).shape[1] === 1);
  // A single output in [0, 1] is a sigmoid: its logit is what attacks need.
  const isSigmoid = isSingle && plain.dropped === 'none' && liesInUnit(plain.run, sample);
  const opened = isSigmoid ? head(true) : plain;
  if (fromProbabilities && opened.dropped === 'none' && !liesInUnit(opened.run, sample))
    refuse(
      'Expected outputs from 0 to 1, because `fromProbabilities` is given, but the model gives other values: leave `fromProbabilities` out',
    );
  const inverted =
    (fromProbabilities || isSigmoid) && opened.dropped === 'none'
      ? invertProbabilities(opened.run, sample)
      : opened.run;
  return isSingle ? asTwoClasses(inverted) : inverted;
};

/** The rounding of float32 may take a probability so far beyond 0 and 1. */
const rounding = 1e-4;

/** Returns true when each output for some noise lies in [0, 1]. */
const liesInUnit = (run: Run, sample: () => tf.Tensor): boolean =>
  tf.tidy(() => {
    const outputs = run(sample());
    return (
      tf
        .all(tf.logicalAnd(tf.greaterEqual(outputs, -rounding), tf.lessEqual(outputs, 1 + rounding)))
        .dataSync()[0] === 1
    );
  });

/** Checks what a model's function returns for `images` images. Without a check, a wrong shape would be broadcast and counted. */
export const checkOutputs = (outputs: tf.Tensor2D, images: number, classes: number): tf.Tensor2D => {
  if (!((outputs as tf.Tensor | undefined) instanceof tf.Tensor))
    refuse(`Expected logits as a tensor, but the model returned ${nameOf(outputs)}`);
  if (outputs.shape.length !== 2 || outputs.shape[0] !== images || outputs.shape[1] !== classes)
    refuse(
      `Expected logits of shape [${images}, ${classes}] for ${images} images, but got [${outputs.shape.join(', ')}]`,
    );
  if (outputs.dtype !== 'float32')
    refuse(`Expected logits of type float32, but got ${outputs.dtype}, which has no gradient`);
  return outputs;
};

/**
 * Checks the outputs for the clean images, part by part: they must be finite, and logits, not probabilities (H12,
 * `outputs-are-probabilities`).
 */
export const createLogitsCheck = (classes: number) => {
  let images = 0;
  let areAllProbabilities = true;
  return {
    add: (logits: Float32Array): void => {
      const invalid = logits.findIndex((value) => !Number.isFinite(value));
      if (invalid >= 0)
        refuse(
          `Expected finite logits, but got ${logits[invalid]} for image ${images + Math.floor(invalid / classes)}`,
        );
      areAllProbabilities &&= areProbabilities(logits, classes);
      images += logits.length / classes;
    },
    /** After the last part. */
    end: (): void => {
      if (images > 0 && areAllProbabilities)
        refuse(
          'Expected logits, but got probabilities (every row lies in [0, 1] and sums to 1): give `fromProbabilities`, or the model without its last softmax',
        );
    },
  };
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
