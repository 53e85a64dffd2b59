/**
 * The driver. It never trusts an attack: whatever comes back is clipped to the budget and to [0, 1], classified again and measured.
 * It attacks only images that the model classifies correctly, as many at once as one pass of the model takes.
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
import { correctMaxPoolGradient } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { type Attack, type AttackContext, type EvaluationResources, prepareResources } from './attack.ts';
import { type ClassifierModel, checkImages, checkLabels } from './classifier.ts';
import { createJudge, type Judge, targetsOf } from './defence.ts';
import { createFlatModel } from './flat-model.ts';
import { type Distances, measureRow, project } from './norms.ts';
import { createRandom } from './random.ts';
import { attacks } from './registry.ts';
import { pick, positions, takeRows } from './rows.ts';
import { summarise } from './statistics.ts';

export type EvaluateAttackOptions = {
  readonly model: ClassifierModel;
  /** `[n, ...shape]` in the model's bounds: a tensor, which is left alone, or the values in row-major order. */
  readonly images: tf.Tensor | Float32Array;
  /** True class of every image. */
  readonly labels: ArrayLike<number>;
  /** Index of every image in its split, for the records and the random streams. Default 0 … n − 1. */
  readonly indices?: ArrayLike<number>;
  readonly attack: AttackInput;
  /** Same seed, same result. Default 0. */
  readonly seed?: number;
  /** Images attacked at once; the result does not depend on it. Default: what suits the backend. */
  readonly batchSize?: number;
  readonly resources?: EvaluationResources;
  readonly signal?: AbortSignal;
  /** Called after every batch, with counts of attacked images. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
};

export type Evaluation = {
  readonly attack: AttackSpec;
  readonly summary: EvaluationSummary;
  readonly records: EvaluationRecords;
  /** `[n, width]`, row-major, in the model's bounds; the clean image where none was found. */
  readonly adversarials: Float32Array;
};

/**
 * Runs one attack on every correctly classified image.
 * Throws ATTACK_INPUT where the input cannot be attacked as given, and the signal's reason once that is aborted.
 */
export const evaluateAttack = async (options: EvaluateAttackOptions): Promise<Evaluation> => {
  correctMaxPoolGradient();
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
    const judge = createJudge(options.model, options.batchSize);
    const clean = await judge(images, { checked: true });
    const before = await images.data<'float32'>();
    const adversarials = before.slice();
    const records = createRecords(indices, labels, clean);
    const attacked = positions(labels.length, (image) => clean[image] === labels[image]);
    const yieldToEventLoop = createYield(options.signal);
    const channels = model.shape.length > 1 ? model.shape[model.shape.length - 1]! : 1;
    const atOnce = model.batchSize * ((attacks[spec.attack] as Attack).streams ? streamedBatches : 1);
    const targets = await targetsOf(spec, { model: options.model, flat: model, images, labels, attacked });
    const batches = targets.flatMap(({ model, rows }) =>
      Array.from({ length: Math.ceil(rows.length / atOnce) }, (_, i) => ({
        model,
        rows: rows.slice(i * atOnce, (i + 1) * atOnce),
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
        labels: pick(labels, rows),
        random,
        yieldToEventLoop,
        resources,
      };
      const { predicted, values, steps, queries } = await runVerified(spec, batch, judge);
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
          measureRow(adversarials, before, image, model.width, channels),
        );
      });
      done += rows.length;
      options.onProgress?.({ done, total });
    }
    const [low, high] = options.model.bounds;
    const scaled =
      low === 0 && high === 1 ? adversarials : adversarials.map((value) => low + value * (high - low));
    const rejections = options.model.defence && {
      clean: positions(clean.length, (image) => clean[image] === model.classes).length,
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

/** How many batches' images a streaming attack is given: more only costs memory. */
const streamedBatches = 8;

/** One batch through the attack, then through the law: budget, range, the model again. Disposes of the batch's images. */
const runVerified = async (spec: AttackSpec, batch: AttackContext, judge: Judge) => {
  const run = attacks[spec.attack] as Attack; // its settings were parsed by this attack's own schema
  const { adversarials, steps, queries } = await run(batch, spec.settings);
  const x = limit(adversarials, batch.images, spec);
  const predicted = await judge(x);
  const values = await x.data<'float32'>();
  tf.dispose([batch.images, adversarials, x]);
  return { predicted, values, steps, queries };
};

/** What is not a number becomes the pixel it was. */
const limit = (x: tf.Tensor2D, images: tf.Tensor2D, spec: AttackSpec): tf.Tensor2D =>
  tf.tidy(() => {
    const finite = tf.where(tf.isFinite(x), x, images);
    const ball = ballOf(spec);
    return ball === undefined
      ? tf.clipByValue(finite, 0, 1)
      : project(finite, images, ball.norm, ball.epsilon);
  });

const checkIndices = (indices: ArrayLike<number> | undefined, images: number): number[] => {
  if (indices === undefined) return Array.from({ length: images }, (_, i) => i);
  if (indices.length !== images)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected one index per image, but got ${indices.length} for ${images} images`,
    );
  return Array.from(indices);
};

// Per-image results, filled in as batches finish.

/** As if no image had been attacked yet. `clean[i]` is the class that the model gives to image i. */
const createRecords = (
  indices: readonly number[],
  labels: Int32Array,
  clean: Int32Array,
): EvaluationRecords => ({
  index: [...indices],
  label: [...labels],
  correct: Array.from(labels, (label, i) => clean[i] === label),
  predicted: [...clean],
  success: Array.from(labels, () => false),
  l2: Array.from(labels, () => null),
  linf: Array.from(labels, () => null),
  l0: Array.from(labels, () => null),
  steps: Array.from(labels, () => 0),
  queries: Array.from(labels, () => 0),
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

/** Lets the event loop turn now and then: timers, signals and messages get their chance while tensors are computed. */

const longestBlockMs = 50;

/** Resolves in a later turn of the event loop when the last one was long ago. Throws the signal's reason once it is aborted. */
export const createYield = (signal?: AbortSignal): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last < longestBlockMs) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    last = performance.now();
    signal?.throwIfAborted();
  };
};
