/** Examines a classifier before it is attacked: would a low success rate say something about the model? */
import {
  type AttackSpec,
  attacks,
  type Examination,
  type ExaminationFinding,
  type ExaminationName,
  examinationFinding,
  hasGradients,
  worstStatus,
} from '@funnel/contracts';
import { correctOperators } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import type { ClassifierModel } from '../classifier.ts';
import { createFlatModel, type FlatModel } from '../flat-model.ts';
import { checkInput, takeImages } from '../input.ts';
import { checkOptions, type OptionChecks, ownCheck, wholeFrom } from '../options.ts';
import { createRandom, type Random } from '../random.ts';
import { checkAccuracy } from './accuracy.ts';
import { compareGradients } from './gradients.ts';
import {
  checkIndependence,
  checkRepeatability,
  checkSaturation,
  describeOutputs,
  outputsOf,
} from './outputs.ts';

export type ExamineOptions = {
  readonly model: ClassifierModel;
  /** `[n, ...shape]` in the model's bounds: a tensor, which stays the caller's, or the values in row-major order. The first 100 are used. */
  readonly images: tf.Tensor | Float32Array;
  /** The true class of every image, `[n]`. */
  readonly labels: ArrayLike<number>;
  /** The same seed gives the same examination. Default 0. */
  readonly seed?: number;
};

const optionChecks: OptionChecks<ExamineOptions> = {
  model: ownCheck,
  images: ownCheck,
  labels: ownCheck,
  seed: wholeFrom(0),
};

const maxImages = 100;

/**
 * Looks at outputs, repeatability, independence from the batch, accuracy, gradients and saturation, on the present backend. Costs some
 * hundred forward passes. Returns findings and does not throw for a bad model: one that throws, or returns no logits, gets a finding with its
 * own words. Errors: ATTACK_INPUT when images or labels do not fit.
 */
export const examineClassifier = async (options: ExamineOptions): Promise<Examination> => {
  checkOptions(options, optionChecks);
  correctOperators();
  const model = createFlatModel(options.model);
  const { images, labels: allLabels } = await checkInput(options, options.model);
  const first = Int32Array.from({ length: Math.min(maxImages, images.count) }, (_, row) => row);
  const x = takeImages(images, first); // [first.length, width]
  try {
    const labels = allLabels.slice(0, x.shape[0]);
    const { gradients, findings } = await examineModel(model, x, labels, options);
    return {
      status: worstStatus(findings.map(({ status }) => status)),
      backend: tf.getBackend(),
      images: x.shape[0],
      gradients,
      findings,
    };
  } finally {
    x.dispose();
  }
};

/** `x`: the images, `[n, width]` in [0, 1]. A model without outputs for them is not examined further. */
const examineModel = async (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  { model: { bounds }, seed = 0 }: ExamineOptions,
): Promise<Pick<Examination, 'gradients' | 'findings'>> => {
  const values = await x.data<'float32'>();
  const random = (...path: readonly (string | number)[]) => createRandom(seed, 'examine', ...path);
  let outputs: Float32Array;
  try {
    outputs = await outputsOf(model, () => x);
  } catch (error) {
    return { gradients: 'missing', findings: [failure('outputs', error)] };
  }
  const findings = [
    await orFailure('outputs', async () =>
      describeOutputs(outputs, await outputsNearby(model, x, values, random('nearby')), model.classes),
    ),
    await orFailure('repeatability', () => checkRepeatability(model, x, outputs)),
    await orFailure('independence', () => checkIndependence(model, x, outputs)),
    await orFailure('accuracy', () => checkAccuracy({ model, bounds, values, labels, outputs })),
  ];
  const { gradients, finding } = await compareGradients({ model, values, random }).catch((error) => ({
    gradients: 'missing' as const,
    finding: failure('gradients', error),
  }));
  findings.push(finding);
  if (hasGradients({ gradients }))
    findings.push(await orFailure('saturation', () => checkSaturation(model, x, labels, outputs, bounds)));
  return { gradients, findings };
};

const orFailure = async (
  name: ExaminationName,
  look: () => Promise<ExaminationFinding>,
): Promise<ExaminationFinding> => {
  try {
    return await look();
  } catch (error) {
    return failure(name, error);
  }
};

/** The model threw, or returned no logits. */
const failure = (name: ExaminationName, error: unknown): ExaminationFinding => {
  const words = error instanceof Error ? error.message.split('\n')[0]! : String(error);
  return examinationFinding(name, 'model-fails', `The model fails: ${words.replace(/\.$/, '')}.`);
};

/** The outputs for the images moved 10 % towards noise. */
const outputsNearby = (model: FlatModel, x: tf.Tensor2D, values: Float32Array, noise: Random) =>
  outputsOf(model, () =>
    tf.tensor2d(
      values.map((value) => 0.9 * value + 0.1 * noise.uniform()),
      x.shape,
    ),
  );

const needsGradients = (spec: AttackSpec): boolean => attacks[spec.attack].access === 'gradient';

/**
 * Splits attacks into those whose results can be believed after this examination, and those that are blind because the model's gradients
 * are wrong or missing.
 */
export const splitByGradients = (
  examination: Pick<Examination, 'gradients'>,
  specs: readonly AttackSpec[],
): { readonly run: readonly AttackSpec[]; readonly leftOut: readonly AttackSpec[] } => ({
  run: specs.filter((spec) => hasGradients(examination) || !needsGradients(spec)),
  leftOut: specs.filter((spec) => !hasGradients(examination) && needsGradients(spec)),
});
