/**
 * The model as attacks see it: rows of pixels in [0, 1] → logits and gradients. The caller disposes of every tensor that a function here
 * returns.
 */
import { AppError, classesOf, isMistake, noClass } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { isHostBackend } from './batch-rows.ts';
import { type ClassifierModel, checkModel, checkOutputs } from './classifier.ts';
import { type Owner, takeValues } from './ownership.ts';

export type FlatModel = {
  /** Values per image: the product of `shape`. */
  readonly width: number;
  readonly classes: number;
  readonly shape: readonly number[];
  /** How many images one pass takes. */
  readonly batchSize: number;
  /** `[n, width]` → `[n, classes]`, for any n, in passes of `batchSize`. */
  readonly logits: (x: tf.Tensor2D) => tf.Tensor2D;
  /** `[n, width]` → `[n]`: the class of every row (`classOf`), from the same forward pass that the driver makes. */
  readonly predict: (x: tf.Tensor2D) => Promise<Int32Array>;
  /** One forward and one backward pass. `loss`: logits → `[n]`; the loss of a row depends on the logits of that row only. */
  readonly gradient: (
    x: tf.Tensor2D,
    loss: (logits: tf.Tensor2D) => tf.Tensor,
  ) => { readonly logits: tf.Tensor2D; readonly gradient: tf.Tensor2D };
  /** One forward pass, and one backward pass per cotangent: `gradients[j] = ∂⟨cotangents[j], logits⟩/∂x`. */
  readonly pullbacks: (
    x: tf.Tensor2D,
    cotangents: (logits: tf.Tensor2D) => readonly tf.Tensor2D[],
  ) => { readonly logits: tf.Tensor2D; readonly gradients: readonly tf.Tensor2D[] };
};

/** Images per pass: the activations of 128 small images fit into the cache of one core; a GPU needs more images at once. */
const defaultBatchSize = (): number => (isHostBackend() ? 128 : 1024);

export const createFlatModel = (model: ClassifierModel, batchSize = defaultBatchSize()): FlatModel => {
  checkModel(model);
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected batchSize as a whole number of at least 1, but got ${batchSize}`,
    );
  const [low, high] = model.bounds;
  const width = model.shape.reduce((product, size) => product * size, 1);
  /** Differentiable: [n, width] in [0, 1] → [n, classes]. */
  const forward = (x: tf.Tensor): tf.Tensor2D => {
    const scaled = low === 0 && high === 1 ? x : x.mul(high - low).add(low);
    return checkOutputs(model.logits(scaled.reshape([-1, ...model.shape])), x.shape[0]!, model.classes);
  };
  const logits = (x: tf.Tensor2D): tf.Tensor2D =>
    tf.tidy(() => {
      const rows = x.shape[0];
      if (rows <= batchSize) return forward(x);
      const parts: tf.Tensor2D[] = [];
      for (let start = 0; start < rows; start += batchSize)
        parts.push(
          tf.tidy(() => forward(tf.slice(x, [start, 0], [Math.min(batchSize, rows - start), width]))),
        );
      return tf.concat(parts, 0);
    });
  return {
    width,
    classes: model.classes,
    shape: model.shape,
    batchSize,
    logits,
    predict: async (x) => classesOf(await takeValues(logits(x)), model.classes),
    gradient: (x, loss) =>
      tf.tidy(() => {
        const saved = createTensorSaver();
        const gradient = orRelease(
          () =>
            tf.grad((input) => {
              const z = forward(input);
              saved.add(z);
              return tf.sum(loss(z));
            })(x),
          saved,
        );
        const [z] = saved.release();
        return { logits: z!, gradient: gradient as tf.Tensor2D }; // a gradient has the shape of its x
      }),
    pullbacks: (x, cotangents) => pullbacks(forward, x, cotangents),
  };
};

/**
 * The same model, and a function that returns how many of its answers so far had no class (`noClass`): rows of logits with a NaN, for
 * example. It counts rows with and without a gradient. `own` takes the tensors whose values it waits for.
 */
export const countingInvalid = (
  model: FlatModel,
  own: Owner['own'],
): { readonly model: FlatModel; readonly invalid: () => Promise<number> } => {
  let pending: Promise<number> = Promise.resolve(0);
  const countInvalid = async (logits: tf.Tensor2D): Promise<number> => {
    const values = await takeValues(logits);
    return classesOf(values, model.classes).filter((k) => k === noClass).length;
  };
  const seen = (logits: tf.Tensor2D): tf.Tensor2D => {
    const count = countInvalid(own(tf.keep(logits.clone()))); // the caller may dispose of its logits before they are read
    pending = Promise.all([pending, count]).then(([before, more]) => before + more);
    pending.catch(() => undefined); // `invalid` throws it
    return logits;
  };
  const withLogits = <Pass extends { readonly logits: tf.Tensor2D }>(pass: Pass): Pass => {
    seen(pass.logits);
    return pass;
  };
  return {
    invalid: () => pending,
    model: {
      ...model,
      logits: (x) => seen(model.logits(x)),
      predict: async (x) => {
        const classes = await model.predict(x);
        const invalid = classes.filter((k) => k === noClass).length;
        if (invalid > 0) pending = pending.then((before) => before + invalid);
        return classes;
      },
      gradient: (x, loss) => withLogits(model.gradient(x, loss)),
      pullbacks: (x, cotangents) => withLogits(model.pullbacks(x, cotangents)),
    },
  };
};

/** Saves tensors from tf.grad, which disposes of everything but the gradient. `release` gives them back to the enclosing tidy. */
const createTensorSaver = () => {
  const kept: tf.Tensor[] = [];
  return {
    add: (tensor: tf.Tensor) => {
      kept.push(tf.keep(tf.clone(tensor)));
    },
    release: (): tf.Tensor2D[] =>
      kept.map((tensor) => {
        const released = tensor.clone() as tf.Tensor2D; // only [n, …] matrices are added
        tensor.dispose();
        return released;
      }),
  };
};

/**
 * Runs tf.grad. When it throws, for example for an operator without a gradient, it leaves behind the tensors that the forward pass saved for
 * the way back: this function disposes of them and of `saved`.
 */
export const orRelease = <Result>(
  run: () => Result,
  saved?: ReturnType<typeof createTensorSaver>,
): Result => {
  try {
    return run();
  } catch (error) {
    tf.dispose(saved?.release() ?? []);
    const { state } = tf.engine();
    const tape = state.activeTape as readonly { readonly saved?: tf.Tensor[] }[] | null; // the type of its nodes is not exported
    if (state.gradientDepth === 0) {
      for (const node of tape ?? []) tf.dispose(node.saved ?? []);
      state.activeTape = null as never; // as after a gradient that succeeded
    }
    throw error;
  }
};

/**
 * tf.grad runs the forward pass again for every gradient. This function runs it once. Inside the forward function of a custom operation
 * the tape exists but does not record: each inner tf.grad walks the tape back with another cotangent, and the outer tf.grad walks it back
 * with the last one.
 */
const pullbacks = (
  forward: (x: tf.Tensor) => tf.Tensor2D,
  x: tf.Tensor2D,
  cotangentsOf: (logits: tf.Tensor2D) => readonly tf.Tensor2D[],
): { logits: tf.Tensor2D; gradients: tf.Tensor2D[] } =>
  tf.tidy(() => {
    const saved = createTensorSaver();
    const grad = tf.grad((input) => {
      const z = forward(input);
      saved.add(z);
      const walkBack = tf.customGrad((value) => {
        const cotangents = cotangentsOf(z);
        const lastCotangent = tf.keep(cotangents[cotangents.length - 1]!.clone());
        for (const cotangent of cotangents.slice(0, -1)) saved.add(tf.grad(() => z)(input, cotangent));
        const gradFunc = () => {
          const cotangent = lastCotangent.clone();
          lastCotangent.dispose();
          return cotangent;
        };
        return { value: tf.sum(value as tf.Tensor), gradFunc };
      });
      return walkBack(z);
    });
    const last = orRelease(() => grad(x), saved);
    const [logits, ...others] = saved.release();
    return { logits: logits!, gradients: [...others, last as tf.Tensor2D] }; // a gradient has the shape of its x
  });

/**
 * The part of the model's output that a score-based attack uses. `values`: n rows of pixels in [0, 1]. Returns per row the margin z_y − max
 * over j ≠ y of z_j, and whether the model misclassifies the row. A margin is NaN when a logit is NaN or when both terms are the same
 * infinity.
 */
export const marginsOf = async (model: FlatModel, values: Float32Array, labels: Int32Array) => {
  const z = await takeValues(tf.tidy(() => model.logits(tf.tensor2d(values, [labels.length, model.width]))));
  const margins = new Float32Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const [start, label] = [row * model.classes, labels[row]!];
    let other = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < model.classes; k++) if (k !== label) other = Math.max(other, z[start + k]!); // NaN for a NaN
    margins[row] = z[start + label]! - other;
  }
  const fooled = Array.from(classesOf(z, model.classes), (k, row) => isMistake(k, labels[row]!));
  return { margins, fooled };
};

/**
 * The most likely wrong classes of clean images, by their logits: `[classes − 1][n]`. Slot j holds the j-th most likely wrong class of
 * every image. `classes` counts the label too: it is the most likely class of a correctly classified image.
 */
export const likelyClasses = async (
  model: FlatModel,
  images: tf.Tensor2D,
  labels: Int32Array,
  classes: number,
): Promise<Int32Array[]> => {
  const slots = Math.min(classes, model.classes) - 1;
  const values = await takeValues(model.logits(images));
  const ranked = Array.from(labels, (label, row) => {
    const z = values.subarray(row * model.classes, (row + 1) * model.classes);
    return Array.from(z.keys())
      .filter((k) => k !== label)
      .sort((a, b) => z[b]! - z[a]! || a - b);
  });
  return Array.from({ length: slots }, (_, slot) => Int32Array.from(ranked, (classes) => classes[slot]!));
};

/** An image as a grid of pixels, for attacks that change single pixels or squares. */
export type PixelGrid = {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: number;
};

/** Whether images of this shape are grids of pixels: `[height, width, channels]` or `[height, width]`. */
export const hasPixels = (shape: readonly number[]): boolean => shape.length === 2 || shape.length === 3;

/** Errors: ATTACK_INPUT for another shape. */
export const pixelGrid = (shape: readonly number[]): PixelGrid => {
  const [height, width, channels = 1] = shape;
  if (height === undefined || width === undefined || !hasPixels(shape))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected images of shape [height, width, channels] for this attack, but got [${shape.join(', ')}]`,
    );
  return { height, width, channels, pixels: height * width };
};
