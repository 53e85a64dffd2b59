/**
 * An attack is a function from images to candidates. It only proposes them: the driver (`evaluate-attack.ts`) clips each candidate, runs
 * the model on it again and measures it.
 */
import {
  AppError,
  type AttackName,
  type AttackResource,
  type AttackSettings,
  type AttackSpec,
  attacks,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { ClassifierModel } from './classifier.ts';
import { createFlatModel, type FlatModel } from './flat-model.ts';
import type { Images } from './input.ts';
import { nameOf } from './options.ts';
import type { Owner } from './ownership.ts';
import type { Random } from './random.ts';

export type Attack<Name extends AttackName = AttackName> = {
  (context: AttackContext, settings: AttackSettings<Name>): Promise<AttackResult>;
  /**
   * The attack takes more images than fit into one pass of the model, and fills each pass with images that it has not finished.
   * The driver gives other attacks one pass of images at a time.
   */
  readonly streams?: true;
};

export const streaming = <Name extends AttackName>(attack: Attack<Name>): Attack<Name> =>
  Object.assign(attack, { streams: true as const });

export type AttackContext = {
  readonly model: FlatModel;
  /** `[n, width]` in [0, 1]; the model classifies each image as its label. The driver disposes of the tensor. */
  readonly images: tf.Tensor2D;
  /** `[n]`. */
  readonly labels: Int32Array;
  /** The random stream of one image; it does not depend on the batch. `path` tells restarts and purposes apart. */
  readonly random: (row: number, ...path: readonly (string | number)[]) => Random;
  /** An attack awaits this function once per step. It throws when the run was cancelled, and regularly lets other events run. */
  readonly yieldToEventLoop: () => Promise<void>;
  /**
   * Takes tensors that outlive an `await`, and returns them. The driver disposes of them when the attack ends, however it ends; an attack
   * may do so earlier.
   */
  readonly own: Owner['own'];
  readonly resources: AttackResources;
};

export type AttackResult = {
  /**
   * `[n, width]`: the best adversarial of every row. A row without an adversarial may have any values. The driver disposes of the tensor.
   */
  readonly adversarials: tf.Tensor2D;
  /** `[n]`: iterations that the attack spent on each row. */
  readonly steps: Int32Array;
  /**
   * `[n]`: passes of the attacked model that the attack counts for each row; a pass with a gradient counts once. Passes of the driver do not
   * count, nor does an image that fills a pass but comes after the hit. Where an attack leaves out more, its file says so.
   */
  readonly queries: Int32Array;
  /** How many rows ended a search at the largest value that the attack allows. Absent for an attack without such a value. */
  readonly cappedSearches?: number;
};

/** Some attacks need more than the model and the images. The caller gives these resources. */
export type EvaluationResources = {
  /** Images in the model's bounds, `[n, ...shape]` → features, `[n, …]`. Differentiable. */
  readonly encoder?: (images: tf.Tensor) => tf.Tensor;
  /** Other models with the same input, such as the models of other trials of a sweep. */
  readonly surrogates?: readonly ClassifierModel[];
};

/** The same resources for rows of pixels in [0, 1]. */
type AttackResources = {
  /** `[n, width]` → `[n, features]`. */
  readonly encoder: (x: tf.Tensor2D) => tf.Tensor2D;
  readonly surrogates: readonly FlatModel[];
  /** All images of the evaluation: guides of the feature attack, and starts of HopSkipJump. */
  readonly pool: { readonly images: Images; readonly labels: Int32Array };
};

type Evaluated = {
  readonly model: FlatModel;
  readonly classifier: ClassifierModel;
  /** All images of the evaluation. */
  readonly images: Images;
  readonly labels: Int32Array;
};

/**
 * Errors: ATTACK_INPUT when the caller did not give a resource that the attack needs, or when a surrogate takes images of another shape.
 */
export const prepareResources = (
  spec: AttackSpec,
  resources: EvaluationResources = {},
  { model, classifier, images, labels }: Evaluated,
): AttackResources => {
  const { encoder, surrogates = [] } = resources;
  if (encoder !== undefined && typeof encoder !== 'function')
    throw new AppError(
      'ATTACK_INPUT',
      `Expected \`resources.encoder\` as a function, but got ${nameOf(encoder)}`,
    );
  if (!Array.isArray(surrogates))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected \`resources.surrogates\` as a list of models, but got ${nameOf(surrogates)}`,
    );
  const missing = (resource: AttackResource) =>
    new AppError(
      'ATTACK_INPUT',
      `Expected \`resources.${resource}\` for the attack ${spec.attack}, but got none`,
    );
  const declaration = attacks[spec.attack];
  const needs: readonly AttackResource[] = 'needs' in declaration ? (declaration.needs ?? []) : [];
  for (const need of needs) if (resources[need] === undefined) throw missing(need);
  if (needs.includes('surrogates') && surrogates.length === 0) throw missing('surrogates');
  const notModel = surrogates.find(
    (surrogate) => !Array.isArray((surrogate as Partial<ClassifierModel> | null)?.shape),
  );
  if (notModel !== undefined)
    throw new AppError('ATTACK_INPUT', 'Expected surrogates as results of classifierModel or loadClassifier');
  const mismatch = surrogates.findIndex(({ shape }) => JSON.stringify(shape) !== JSON.stringify(model.shape));
  if (mismatch >= 0)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected surrogates of input shape [${model.shape.join(', ')}], but surrogate ${mismatch} takes [${surrogates[mismatch]!.shape.join(', ')}]`,
    );
  const [low, high] = classifier.bounds;
  return {
    encoder: (x) =>
      tf.tidy(() => {
        if (encoder === undefined) throw missing('encoder');
        const scaled = x.mul(high - low).add(low);
        const features = encoder(scaled.reshape([-1, ...model.shape]));
        return features.reshape([features.shape[0]!, -1]);
      }),
    surrogates: surrogates.map((surrogate) => createFlatModel(surrogate, model.batchSize)),
    pool: { images, labels },
  };
};
