/**
 * The driver of all attacks. It trusts no attack: it clips every candidate to the budget and to [0, 1], runs the model on it again and
 * measures it. It attacks only images that the model classifies correctly.
 */
import {
  AppError,
  type AttackInput,
  type AttackSpec,
  attackSpec,
  ballOf,
  type EvaluationRecords,
  type EvaluationSummary,
  isMistake,
} from '@funnel/contracts';
import { correctOperators } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { type Attack, type AttackContext, type EvaluationResources, prepareResources } from './attack.ts';
import { indicesWhere, takeRows, valuesAt } from './batch-rows.ts';
import { type ClassifierModel, checkImages, checkLabels } from './classifier.ts';
import { createPredictor, type Predict, planTargets } from './defence.ts';
import { createFlatModel } from './flat-model.ts';
import { type Distances, measureRow, project } from './norms.ts';
import { createRandom } from './random.ts';
import { attacks } from './registry.ts';
import { summarise } from './statistics.ts';

export type EvaluateAttackOptions = {
  readonly model: ClassifierModel;
  /** `[n, ...shape]` in the model's bounds: a tensor, which the caller still owns, or the values in row-major order. */
  readonly images: tf.Tensor | Float32Array;
  /** The true class of every image, `[n]`. */
  readonly labels: ArrayLike<number>;
  /** The index of every image in its split, for the records and the random streams. Default 0 … n − 1. */
  readonly indices?: ArrayLike<number>;
  readonly attack: AttackInput;
  /** The same seed gives the same result. Default 0. */
  readonly seed?: number;
  /** How many images one pass of the model takes; the result does not depend on it. Default: 128 on wasm and cpu, 1024 on a GPU. */
  readonly batchSize?: number;
  readonly resources?: EvaluationResources;
  readonly signal?: AbortSignal;
  /** Called after every batch with the number of images that were attacked. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
};

export type Evaluation = {
  readonly attack: AttackSpec;
  readonly summary: EvaluationSummary;
  readonly records: EvaluationRecords;
  /** `[n, width]`, row-major, in the model's bounds; the clean image if the attack found no adversarial. */
  readonly adversarials: Float32Array;
};

/**
 * Runs one attack on every correctly classified image. Images are `[n, ...shape]`, for MNIST `[n, 28, 28, 1]` in [0, 1]. The cost is the
 * attack's own cost and two forward passes per image. Errors: ATTACK_INPUT when the model, images, labels or settings do not fit together;
 * the signal's reason after an abort.
 */
export const evaluateAttack = async (options: EvaluateAttackOptions): Promise<Evaluation> => {
  correctOperators();
  const spec = attackSpec(options.attack);
  const model = createFlatModel(options.model, options.batchSize);
  const images = await checkImages(options.images, options.model); // [n, width] in [0, 1]
  try {
    const labels = checkLabels(options.labels, images.shape[0], model.classes);
    const indices = checkIndices(options.indices, labels.length);
    const resources = prepareResources(spec, options.resources, {
      model,
      classifier: options.model,
      images,
      labels,
    });
    const predict = createPredictor(options.model, options.batchSize);
    const cleanClasses = await predict(images, { checked: true });
    const clean = await images.data<'float32'>();
    const adversarials = clean.slice();
    const records = createRecords(indices, labels, cleanClasses);
    const attacked = indicesWhere(labels.length, (image) => cleanClasses[image] === labels[image]);
    const yieldToEventLoop = createYield(options.signal);
    const channels = model.shape.length > 1 ? model.shape[model.shape.length - 1]! : 1;
    const size = model.batchSize * ((attacks[spec.attack] as Attack).streams ? streamedBatches : 1);
    const targets = await planTargets(spec, { model: options.model, flat: model, images, labels, attacked });
    const batches = targets.flatMap(({ model, rows }) =>
      Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => ({
        model,
        rows: rows.slice(i * size, (i + 1) * size),
      })),
    );
    const total = batches.reduce((sum, { rows }) => sum + rows.length, 0);
    let [done, rejected] = [0, 0];
    for (const { model, rows } of batches) {
      await yieldToEventLoop();
      const random: AttackContext['random'] = (row, ...path) =>
        createRandom(options.seed ?? 0, spec.attack, indices[rows[row]!]!, ...path);
      const batch = {
        model,
        images: takeRows(images, rows),
        labels: valuesAt(labels, rows),
        random,
        yieldToEventLoop,
        resources,
      };
      const { predicted, values, steps, queries } = await runAndVerify(spec, batch, predict);
      rows.forEach((image, row) => {
        records.steps[image] = steps[row]!;
        records.queries[image] = queries[row]!;
        if (predicted[row] === model.classes) rejected++;
        if (predicted[row] === model.classes || !isMistake(predicted[row]!, labels[image]!)) return;
        adversarials.set(values.subarray(row * model.width, (row + 1) * model.width), image * model.width);
        recordSuccess(
          records,
          image,
          predicted[row]!,
          measureRow(adversarials, clean, image, model.width, channels),
        );
      });
      done += rows.length;
      options.onProgress?.({ done, total });
    }
    const [low, high] = options.model.bounds;
    const scaled =
      low === 0 && high === 1 ? adversarials : adversarials.map((value) => low + value * (high - low));
    const rejections = options.model.defence && {
      clean: indicesWhere(cleanClasses.length, (image) => cleanClasses[image] === model.classes).length,
      attacked: rejected,
    };
    return {
      attack: spec,
      summary: summarise(records, model.width, rejections),
      records,
      adversarials: scaled,
    };
  } finally {
    images.dispose();
  }
};

/** A streaming attack gets the images of this many passes at once. A larger number only costs memory. */
const streamedBatches = 8;

const checkIndices = (indices: ArrayLike<number> | undefined, images: number): number[] => {
  if (indices === undefined) return Array.from({ length: images }, (_, i) => i);
  if (indices.length !== images)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected one index per image, but got ${indices.length} for ${images} images`,
    );
  return Array.from(indices);
};

/** The records before any image was attacked. `cleanClasses[i]`: the class that the model gives to the clean image i. */
const createRecords = (
  indices: readonly number[],
  labels: Int32Array,
  cleanClasses: Int32Array,
): EvaluationRecords => ({
  index: [...indices],
  label: [...labels],
  correct: Array.from(labels, (label, i) => cleanClasses[i] === label),
  predicted: [...cleanClasses],
  success: Array.from(labels, () => false),
  l2: Array.from(labels, () => null),
  linf: Array.from(labels, () => null),
  l0: Array.from(labels, () => null),
  steps: Array.from(labels, () => 0),
  queries: Array.from(labels, () => 0),
});

const maxBlockMs = 50;

/**
 * Returns a function that lets timers, signals and messages run when the last turn of the event loop was more than `maxBlockMs` ago. It
 * throws the signal's reason after an abort.
 */
export const createYield = (signal?: AbortSignal): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last < maxBlockMs) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    last = performance.now();
    signal?.throwIfAborted();
  };
};

/** Runs the attack on one batch, limits its candidates and asks the model for their classes. Disposes of the batch's images. */
const runAndVerify = async (spec: AttackSpec, batch: AttackContext, predict: Predict) => {
  const attack = attacks[spec.attack] as Attack; // the schema of this attack parsed the settings
  const { adversarials, steps, queries } = await attack(batch, spec.settings);
  const x = limit(adversarials, batch.images, spec);
  const predicted = await predict(x);
  const values = await x.data<'float32'>();
  tf.dispose([batch.images, adversarials, x]);
  return { predicted, values, steps, queries };
};

/** Moves the candidates into the attack's ball and into [0, 1]. A pixel that is not finite gets its clean value. */
const limit = (x: tf.Tensor2D, images: tf.Tensor2D, spec: AttackSpec): tf.Tensor2D =>
  tf.tidy(() => {
    const finite = tf.where(tf.isFinite(x), x, images);
    const ball = ballOf(spec);
    return ball === undefined
      ? tf.clipByValue(finite, 0, 1)
      : project(finite, images, ball.norm, ball.epsilon);
  });

const recordSuccess = (
  records: EvaluationRecords,
  image: number,
  predicted: number,
  { l2, linf, l0 }: Distances,
): void => {
  records.predicted[image] = predicted;
  records.success[image] = true;
  records.l2[image] = l2;
  records.linf[image] = linf;
  records.l0[image] = l0;
};
