/**
 * Adaptive attack on an encoder (Sabour et al. 2016, eq. 1; Tramèr et al. 2020): moves an image's features onto those of a guide, an image
 * of another class, then increases the margin from there. It fools a defence whose classifier hides its gradient but whose encoder does
 * not.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1]. Needs `resources.encoder`.
 * Cost per image: at most `guides`·`steps` gradients of the encoder and `guides`·(`steps` / 2 + 1) of the model.
 * `queries` counts the gradients of both, and leaves out the passes of the encoder without a gradient and those that confirm a hit.
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { orRelease } from '../flat-model.ts';
import { repeatUntilFooled } from '../hits.ts';
import { partsOf, takeImages } from '../input.ts';
import { margin } from '../losses.ts';
import { ascentDirection, type Norm, project, stepLength } from '../norms.ts';
import { takeValues } from '../ownership.ts';
import { ascend } from './pgd.ts';

export const feature =
  (norm: Norm): Attack<'feature-linf' | 'feature-l2'> =>
  async (context, settings) => {
    const { encoder } = context.resources;
    const stepSize = stepLength(settings);
    const poolFeatures = await takeValues(encodePool(context));
    return repeatUntilFooled(context, settings.guides, async (remaining, guide) => {
      const { images, own } = remaining;
      const goal = own(await guideFeatures(remaining, poolFeatures, guide));
      let x = own(images.clone());
      for (let step = 0; step < settings.steps; step++) {
        await context.yieldToEventLoop();
        const towardsGoal = (input: tf.Tensor) =>
          tf.sum(tf.squaredDifference(encoder(input as tf.Tensor2D), goal)).neg();
        const next = tf.tidy(() => {
          const slope = orRelease(() => tf.grad(towardsGoal)(x)) as tf.Tensor2D; // a gradient has the shape of its x
          const ahead = x.add<tf.Tensor2D>(ascentDirection(slope, norm).mul(stepSize));
          return project(ahead, images, norm, settings.epsilon);
        });
        x.dispose();
        x = own(next);
      }
      goal.dispose();
      const result = await ascend(remaining, {
        norm,
        epsilon: settings.epsilon,
        stepSize,
        steps: Math.ceil(settings.steps / 2),
        lossOf: margin,
        start: x,
        restart: guide,
      });
      return {
        ...result,
        steps: result.steps.map((count) => count + settings.steps),
        queries: result.queries.map((count) => count + settings.steps),
      };
    });
  };

/** The features of all images of the evaluation, `[m, features]`. */
const encodePool = ({ model, resources: { encoder, pool } }: AttackContext): tf.Tensor2D =>
  tf.tidy(() => {
    const parts: tf.Tensor2D[] = [];
    for (const rows of partsOf(pool.images.count, model.batchSize))
      parts.push(tf.tidy(() => encoder(takeImages(pool.images, rows))));
    return tf.concat(parts, 0);
  });

/**
 * The features of every image's guide, `[n, features]`. The guide is the `guide`-th nearest image of another class, or the farthest one
 * when there are fewer. An image whose features are not finite is no guide. An image without a guide gets its own features.
 */
const guideFeatures = async (
  context: AttackContext,
  poolFeatures: Float32Array,
  guide: number,
): Promise<tf.Tensor2D> => {
  const { encoder, pool } = context.resources;
  const size = poolFeatures.length / pool.labels.length;
  const values = await takeValues(encoder(context.images));
  const chosen = new Float32Array(context.labels.length * size);
  context.labels.forEach((label, row) => {
    const own = values.subarray(row * size, (row + 1) * size);
    const ranked = Array.from(pool.labels.keys())
      .filter((i) => pool.labels[i] !== label)
      .map((i) => ({ i, distance: squaredDistance(own, poolFeatures, i * size) }))
      .filter(({ distance }) => Number.isFinite(distance))
      .sort((a, b) => a.distance - b.distance);
    const goal = ranked[Math.min(guide, ranked.length - 1)];
    chosen.set(
      goal === undefined ? own : poolFeatures.subarray(goal.i * size, (goal.i + 1) * size),
      row * size,
    );
  });
  return tf.tensor2d(chosen, [context.labels.length, size]);
};

const squaredDistance = (a: Float32Array, poolFeatures: Float32Array, start: number): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - poolFeatures[start + i]!) ** 2;
  return sum;
};
