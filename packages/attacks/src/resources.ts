/** What some attacks need besides the model: an encoder, surrogates, and images of other classes. */
import { AppError, type AttackResource, type AttackSpec, attacks } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { createFlatModel, type FlatModel } from './flat-model.ts';
import type { ClassifierModel } from './model.ts';

export type EvaluationResources = {
  /** Images in the model's bounds, `[n, ...shape]` → features, `[n, …]`. Differentiable. */
  readonly encoder?: (images: tf.Tensor) => tf.Tensor;
  /** Other models of the same input, such as other trials of a sweep. */
  readonly surrogates?: readonly ClassifierModel[];
};

/** The same, in the flat world of attacks: rows of pixels in [0, 1]. */
export type AttackResources = {
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
