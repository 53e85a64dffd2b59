/**
 * The model as attacks see it: rows of pixels in [0, 1], logits, and gradients with respect to the pixels.
 * All functions return tensors that the caller owns.
 */
import { AppError, classesOf, classOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { AttackContext } from './attack.ts';
import type { ClassifierModel } from './classifier.ts';
import { isHostBackend } from './rows.ts';

export type FlatModel = {
  /** Values per image: the product of `shape`. */
  readonly width: number;
  readonly classes: number;
  readonly shape: readonly number[];
  /** How many images one pass takes: more only costs memory and cache. */
  readonly batchSize: number;
  /** `[n, width]` → `[n, classes]`; any n, in passes of `batchSize`. */
  readonly logits: (x: tf.Tensor2D) => tf.Tensor2D;
  /** The class of every row (`classOf`), from a forward pass as the driver makes it. */
  readonly predict: (x: tf.Tensor2D) => Promise<Int32Array>;
  /** One forward and one backward pass. `loss`: logits → `[n]`, each row's a function of its own logits alone. */
  readonly gradient: (
    x: tf.Tensor2D,
    loss: (logits: tf.Tensor2D) => tf.Tensor,
  ) => { readonly logits: tf.Tensor2D; readonly gradient: tf.Tensor2D };
  /** One forward pass and one backward pass per cotangent: `gradients[j] = ∂⟨cotangents[j], logits⟩/∂x`. */
  readonly pullbacks: (
    x: tf.Tensor2D,
    cotangents: (logits: tf.Tensor2D) => readonly tf.Tensor2D[],
  ) => { readonly logits: tf.Tensor2D; readonly gradients: readonly tf.Tensor2D[] };
};

/** Rows per pass: on one core the activations of 128 small images still sit in cache; a GPU wants more at once. */
const defaultBatchSize = (): number => (isHostBackend() ? 128 : 1024);

export const createFlatModel = (model: ClassifierModel, batchSize = defaultBatchSize()): FlatModel => {
  const [low, high] = model.bounds;
  const width = model.shape.reduce((product, size) => product * size, 1);
  /** Differentiable: [n, width] in [0, 1] → [n, classes]. */
  const forward = (x: tf.Tensor): tf.Tensor2D => {
    const scaled = low === 0 && high === 1 ? x : x.mul(high - low).add(low);
    return model.logits(scaled.reshape([-1, ...model.shape]));
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
    predict: async (x) => {
      const z = logits(x);
      const values = await z.data<'float32'>();
      z.dispose();
      return classesOf(values, model.classes);
    },
    gradient: (x, loss) =>
      tf.tidy(() => {
        const unkept = collectKept();
        const gradient = tf.grad((input) => {
          const z = forward(input);
          unkept.add(z);
          return tf.sum(loss(z));
        })(x);
        const [kept] = unkept.release();
        return { logits: kept!, gradient: gradient as tf.Tensor2D }; // a gradient has the shape of its x
      }),
    pullbacks: (x, cotangents) => pullbacks(forward, x, cotangents),
  };
};

/** Carries tensors out of tf.grad, which disposes of all but the gradient; after release they are ordinary members of the scope. */
const collectKept = () => {
  const kept: tf.Tensor[] = [];
  return {
    add: (tensor: tf.Tensor) => {
      kept.push(tf.keep(tf.clone(tensor)));
    },
    release: (): tf.Tensor2D[] =>
      kept.map((tensor) => {
        const free = tensor.clone() as tf.Tensor2D; // only [n, …] matrices are added
        tensor.dispose();
        return free;
      }),
  };
};

/**
 * tf.grad runs the forward pass anew for every gradient. Here it runs once: inside the forward function of a custom operation the
 * tape exists but does not record, so each inner tf.grad only walks it back with another cotangent; the outer one walks it for the last.
 */
const pullbacks = (
  forward: (x: tf.Tensor) => tf.Tensor2D,
  x: tf.Tensor2D,
  cotangentsOf: (logits: tf.Tensor2D) => readonly tf.Tensor2D[],
): { logits: tf.Tensor2D; gradients: tf.Tensor2D[] } =>
  tf.tidy(() => {
    const kept = collectKept();
    const last = tf.grad((input) => {
      const z = forward(input);
      kept.add(z);
      const branch = tf.customGrad((value) => {
        const cotangents = cotangentsOf(z);
        const lastCotangent = cotangents[cotangents.length - 1]!;
        const carried = tf.keep(lastCotangent.clone());
        for (const cotangent of cotangents.slice(0, -1)) kept.add(tf.grad(() => z)(input, cotangent));
        const gradFunc = () => {
          const cotangent = carried.clone();
          carried.dispose();
          return cotangent;
        };
        return { value: tf.sum(value as tf.Tensor), gradFunc };
      });
      return branch(z);
    })(x);
    const [logits, ...others] = kept.release();
    return { logits: logits!, gradients: [...others, last as tf.Tensor2D] }; // a gradient has the shape of its x
  });

// What score-based attacks see of the model: one number per row.

/**
 * z_y − max over j ≠ y of z_j, NaN where a logit is NaN or both are the same infinity, and whether the class is wrong. `values` are rows of
 * pixels in [0, 1].
 */
export const marginsOf = async (model: FlatModel, values: Float32Array, labels: Int32Array) => {
  const logits = tf.tidy(() => model.logits(tf.tensor2d(values, [labels.length, model.width])));
  const z = await logits.data<'float32'>();
  logits.dispose();
  const margins = new Float32Array(labels.length);
  const fooled = Array.from(labels, (label, row) => {
    const answer = z.subarray(row * model.classes, (row + 1) * model.classes);
    margins[row] = answer[label]! - Math.max(...answer.filter((_, k) => k !== label)); // Math.max keeps a NaN
    return isMistake(classOf(answer), label);
  });
  return { margins, fooled };
};

/** Slot j holds every image's j-th most likely class but its own, by the clean logits: `[classes − 1][n]`. */
export const likelyClasses = async (
  { model, images, labels }: Pick<AttackContext, 'model' | 'images' | 'labels'>,
  classes: number,
): Promise<Int32Array[]> => {
  const slots = Math.min(classes, model.classes) - 1; // the label itself is the likeliest: images are classified correctly
  const logits = model.logits(images);
  const values = await logits.data<'float32'>();
  logits.dispose();
  const ranked = Array.from(labels, (label, row) => {
    const z = values.subarray(row * model.classes, (row + 1) * model.classes);
    return Array.from(z.keys())
      .filter((k) => k !== label)
      .sort((a, b) => z[b]! - z[a]! || a - b);
  });
  return Array.from({ length: slots }, (_, slot) =>
    Int32Array.from(ranked, (classesOfRow) => classesOfRow[slot]!),
  );
};

// Images as grids of pixels, for attacks that change pixels one by one.

export type PixelGrid = {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: number;
};

/** Of shape `[height, width, channels]` or `[height, width]`. Throws ATTACK_INPUT for others: they have no neighbours. */
export const pixelGrid = (shape: readonly number[]): PixelGrid => {
  const [height, width, channels = 1] = shape;
  if (height === undefined || width === undefined || shape.length > 3)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected images of shape [height, width, channels] for this attack, but got [${shape.join(', ')}]`,
    );
  return { height, width, channels, pixels: height * width };
};
