/**
 * The driver of all attacks. It trusts no attack: it clips every candidate to the budget and to [0, 1], runs the model on it again and
 * measures it. It attacks only images that the model classifies correctly.
 */
import {
  type AttackInput,
  type AttackSpec,
  ballOf,
  type EvaluationRecords,
  type EvaluationSummary,
  isBounded,
  isMistake,
  noClass,
} from '@funnel/contracts';
import { correctOperators } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { type Attack, type AttackContext, type EvaluationResources, prepareResources } from './attack.ts';
import { indicesWhere, valuesAt } from './batch-rows.ts';
import { type ClassifierModel, createLogitsCheck } from './classifier.ts';
import { createPredictor, type Predict, planTargets, predictAll } from './defence.ts';
import { countingInvalid, createFlatModel, type FlatModel } from './flat-model.ts';
import { checkInput, type ImageRows, type Images } from './input.ts';
import { type Distances, measureRow, project } from './norms.ts';
import {
  callback,
  checkOptions,
  flag,
  type OptionChecks,
  object,
  ownCheck,
  settingsHint,
  signal,
  wholeFrom,
} from './options.ts';
import { owning } from './ownership.ts';
import { createRandom } from './random.ts';
import { readAttack } from './read-attacks.ts';
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
  /**
   * True: attack a model whose outputs for the clean images are probabilities or not finite. Gradients may vanish there, and the model then
   * looks more robust than it is. Default false: such a model is refused.
   */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Called after every batch with the number of images that were attacked. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
};

/** The options that evaluateAttack, evaluateAttacks and diagnose share. */
export const sharedOptionChecks: OptionChecks<Omit<EvaluateAttackOptions, 'attack' | 'force'>> = {
  model: ownCheck,
  images: ownCheck,
  labels: ownCheck,
  indices: ownCheck,
  // Another kind of number would silently give the draws of a seed that nobody asked for.
  seed: wholeFrom(0),
  batchSize: wholeFrom(1),
  resources: object,
  signal,
  onProgress: callback,
};

const optionChecks: OptionChecks<EvaluateAttackOptions> = {
  ...sharedOptionChecks,
  attack: ownCheck,
  force: flag,
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
  checkOptions(options, optionChecks, settingsHint);
  const spec = readAttack(options.attack);
  return collectAttack(await openSubject(options), spec, options);
};

export type EvaluateAttackOnRowsOptions = Omit<EvaluateAttackOptions, 'images'> & {
  readonly images: ImageRows;
  /** Called with the adversarial image of each fooled row, `[width]` in the model's bounds, in any order of rows. Copy what you keep. */
  readonly onAdversarial?: (row: number, pixels: Float32Array) => void;
};

/**
 * As `evaluateAttack`, with the same numbers, for more images than fit into memory: it holds those of a few batches at a time, and keeps no
 * adversarial image. Reads each image several times. Errors: as for `evaluateAttack`, and those of `images.read`.
 */
export const evaluateAttackOnRows = async (
  options: EvaluateAttackOnRowsOptions,
): Promise<Omit<Evaluation, 'adversarials'>> => {
  checkOptions(options, { ...optionChecks, onAdversarial: callback }, settingsHint);
  const spec = readAttack(options.attack);
  const subject = await openSubject(options);
  return attackSubject(subject, spec, {
    ...options,
    onAdversarial: (row, pixels) => options.onAdversarial?.(row, toBounds(pixels, subject.classifier)),
  });
};

/** A model with images that are checked and classified: what several attacks on the same images share. */
export type Subject = {
  readonly classifier: ClassifierModel;
  readonly model: FlatModel;
  readonly predict: Predict;
  readonly images: Images;
  readonly labels: Int32Array;
  readonly indices: readonly number[];
  /** `[n]`: the class that the model gives to each clean image. */
  readonly cleanClasses: Int32Array;
};

/** Errors: ATTACK_INPUT when the model, images and labels do not fit together. */
export const openSubject = async (
  options: Pick<EvaluateAttackOptions, 'model' | 'labels' | 'indices' | 'batchSize' | 'force' | 'signal'> & {
    readonly images: EvaluateAttackOptions['images'] | ImageRows;
  },
): Promise<Subject> => {
  correctOperators();
  const { model: classifier, batchSize, force = false, signal } = options;
  const model = createFlatModel(classifier, batchSize);
  const input = await checkInput(options, classifier);
  const predict = createPredictor(classifier, batchSize);
  const check = force ? undefined : createLogitsCheck(classifier.classes);
  const cleanClasses = await predictAll((x) => predict(x, check?.add), input.images, {
    batchSize: model.batchSize,
    yieldToEventLoop: createYield(signal),
  });
  check?.end();
  return { classifier, model, predict, ...input, cleanClasses };
};

type AttackRunOptions = Pick<EvaluateAttackOptions, 'seed' | 'resources' | 'signal' | 'onProgress'> & {
  /** `[n]`: false for a correctly classified image that needs no attack. Default: every such image is attacked. */
  readonly only?: readonly boolean[];
  /** Called with the adversarial image of a row, `[width]` in [0, 1]. */
  readonly onAdversarial?: (row: number, pixels: Float32Array) => void;
};

/** As `attackSubject`, and collects the adversarial images. */
export const collectAttack = async (
  subject: Subject,
  spec: AttackSpec,
  options: Omit<AttackRunOptions, 'onAdversarial'>,
): Promise<Evaluation> => {
  const { images, classifier } = subject;
  const adversarials = images.read(indicesWhere(images.count, () => true));
  const result = await attackSubject(subject, spec, {
    ...options,
    onAdversarial: (row, pixels) => adversarials.set(pixels, row * images.width),
  });
  return { ...result, adversarials: toBounds(adversarials, classifier) };
};

/** Runs one attack on the subject. The summary counts as attacked only the images that this attack got. */
export const attackSubject = async (
  { classifier, model: flat, predict, images, labels, indices, cleanClasses }: Subject,
  spec: AttackSpec,
  { seed = 0, resources: given, signal, onProgress, only, onAdversarial }: AttackRunOptions,
): Promise<Omit<Evaluation, 'adversarials'>> => {
  const resources = prepareResources(spec, given, { model: flat, classifier, images, labels });
  const records = createRecords(indices, labels, cleanClasses);
  const attacked = indicesWhere(
    labels.length,
    (image) => cleanClasses[image] === labels[image] && only?.[image] !== false,
  );
  const yieldToEventLoop = createYield(signal);
  const channels = flat.shape.length > 1 ? flat.shape[flat.shape.length - 1]! : 1;
  const size = flat.batchSize * ((attacks[spec.attack] as Attack).streams ? streamedBatches : 1);
  const subject = { model: classifier, flat, images, labels, attacked };
  const targets = await planTargets(spec, { ...subject, yieldToEventLoop });
  const batches = targets.flatMap(({ model, rows }) =>
    Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => ({
      model,
      rows: rows.slice(i * size, (i + 1) * size),
    })),
  );
  const total = batches.reduce((sum, { rows }) => sum + rows.length, 0);
  let [done, rejected, invalid, capped] = [0, 0, 0, 0];
  for (const { model, rows } of batches) {
    await yieldToEventLoop();
    const clean = images.read(rows); // [rows.length, width] in [0, 1]
    const random: AttackContext['random'] = (row, ...path) =>
      createRandom(seed, spec.attack, indices[rows[row]!]!, ...path);
    const {
      predicted,
      values,
      steps,
      queries,
      cappedSearches = 0,
      withoutClass,
    } = await owning(async (own) => {
      const counting = countingInvalid(model, own);
      const batch = {
        model: counting.model,
        images: own(tf.tensor2d(clean, [rows.length, flat.width])),
        labels: valuesAt(labels, rows),
        random,
        yieldToEventLoop,
        own,
        resources,
      };
      const result = await runAndVerify(spec, batch, predict);
      return { ...result, withoutClass: await counting.invalid() };
    });
    capped += cappedSearches;
    invalid += withoutClass + predicted.filter((k) => k === noClass).length;
    rows.forEach((image, row) => {
      records.steps[image] = steps[row]!;
      records.queries[image] = queries[row]!;
      if (predicted[row] === model.classes) rejected++;
      if (predicted[row] === model.classes || !isMistake(predicted[row]!, labels[image]!)) return;
      onAdversarial?.(image, values.subarray(row * flat.width, (row + 1) * flat.width));
      recordSuccess(records, image, predicted[row]!, measureRow(values, clean, row, flat.width, channels));
    });
    done += rows.length;
    onProgress?.({ done, total });
  }
  const rejections = classifier.defence && {
    clean: indicesWhere(cleanClasses.length, (image) => cleanClasses[image] === flat.classes).length,
    attacked: rejected,
  };
  return {
    attack: spec,
    summary: summarise(records, {
      width: flat.width,
      hasBudget: isBounded(spec),
      attacked,
      invalid,
      capped,
      rejections,
    }),
    records,
  };
};

/** Values in [0, 1] on the scale of the model's pixels. */
export const toBounds = (
  values: Float32Array,
  { bounds: [low, high] }: Pick<ClassifierModel, 'bounds'>,
): Float32Array => (low === 0 && high === 1 ? values : values.map((value) => low + value * (high - low)));

/** A streaming attack gets the images of this many passes at once. A larger number only costs memory. */
const streamedBatches = 8;

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

/** Runs the attack on one batch, limits its candidates and asks the model for their classes. */
const runAndVerify = async (spec: AttackSpec, batch: AttackContext, predict: Predict) => {
  const attack = attacks[spec.attack] as Attack; // the schema of this attack parsed the settings
  const { adversarials, ...counts } = await attack(batch, spec.settings);
  const x = batch.own(limit(batch.own(adversarials), batch.images, spec));
  const predicted = await predict(x);
  return { ...counts, predicted, values: await x.data<'float32'>() };
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
