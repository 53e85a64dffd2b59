/** What an attack is: a function from images to candidates. It proposes; the driver (run-attack.ts) disposes. */
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
import type { Random } from './random.ts';

export type AttackContext = {
  readonly model: FlatModel;
  /** `[n, width]` in [0, 1]; each is classified as its label. The driver owns it. */
  readonly images: tf.Tensor2D;
  /** `[n]`. */
  readonly labels: Int32Array;
  /** The stream of one image: the same whatever batch the image is in. `path` tells restarts and purposes apart. */
  readonly random: (row: number, ...path: readonly (string | number)[]) => Random;
  /** Throws when the run was cancelled; now and then lets the event loop turn. Awaited once per step. */
  readonly yieldToEventLoop: () => Promise<void>;
  readonly resources: AttackResources;
};

export type AttackResult = {
  /** `[n, width]`: the best adversarial of every row, or anything where there is none. The driver owns it from here. */
  readonly adversarials: tf.Tensor2D;
  /** Iterations spent on each row until its result stood. */
  readonly steps: Int32Array;
  /** Forward passes spent on each row; one that carries a gradient counts once. */
  readonly queries: Int32Array;
};

export type Attack<Name extends AttackName = AttackName> = {
  (context: AttackContext, settings: AttackSettings<Name>): Promise<AttackResult>;
  /** Takes many images and keeps as many at work as a pass of the model takes. Others are given no more than that at once. */
  readonly streams?: true;
};

export const streaming = <Name extends AttackName>(attack: Attack<Name>): Attack<Name> =>
  Object.assign(attack, { streams: true as const });

// What some attacks need besides the model: an encoder, surrogates, and images of other classes.

export type EvaluationResources = {
  /** Images in the model's bounds, `[n, ...shape]` → features, `[n, …]`. Differentiable. */
  readonly encoder?: (images: tf.Tensor) => tf.Tensor;
  /** Other models of the same input, such as other trials of a sweep. */
  readonly surrogates?: readonly ClassifierModel[];
};

/** The same, in the flat world of attacks: rows of pixels in [0, 1]. */
type AttackResources = {
  /** `[n, width]` → `[n, features]`. */
  readonly encoder: (x: tf.Tensor2D) => tf.Tensor2D;
  readonly surrogates: readonly FlatModel[];
  /** All images of the evaluation, to take guides of other classes from. */
  readonly pool: { readonly images: tf.Tensor2D; readonly labels: Int32Array };
};

type Given = {
  readonly model: FlatModel;
  readonly classifier: ClassifierModel;
  readonly images: tf.Tensor2D;
  readonly labels: Int32Array;
};

/** Throws ATTACK_INPUT where the attack needs what was not given. */
export const prepareResources = (
  spec: AttackSpec,
  resources: EvaluationResources = {},
  given: Given,
): AttackResources => {
  const declaration = attacks[spec.attack];
  const needs: readonly AttackResource[] = 'needs' in declaration ? (declaration.needs ?? []) : [];
  for (const need of needs)
    if (resources[need] === undefined)
      throw new AppError(
        'ATTACK_INPUT',
        `Expected \`resources.${need}\` for the attack ${spec.attack}, but got none`,
      );
  const { encoder, surrogates = [] } = resources;
  const [low, high] = given.classifier.bounds;
  const stranger = surrogates.findIndex(
    ({ shape }) => JSON.stringify(shape) !== JSON.stringify(given.model.shape),
  );
  if (stranger >= 0)
    throw new AppError(
      'ATTACK_INPUT',
      `Expected surrogates of input shape [${given.model.shape.join(', ')}], but number ${stranger} takes [${surrogates[stranger]!.shape.join(', ')}]`,
    );
  return {
    encoder: (x) =>
      tf.tidy(() => {
        if (encoder === undefined)
          throw new AppError(
            'ATTACK_INPUT',
            `Expected \`resources.encoder\` for the attack ${spec.attack}, but got none`,
          );
        const features = encoder(
          x
            .mul(high - low)
            .add(low)
            .reshape([-1, ...given.model.shape]),
        );
        return features.reshape([features.shape[0]!, -1]);
      }),
    surrogates: surrogates.map((surrogate) => createFlatModel(surrogate, given.model.batchSize)),
    pool: { images: given.images, labels: given.labels },
  };
};
