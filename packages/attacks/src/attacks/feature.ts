/**
 * Adaptive attack on an encoder (Sabour et al. 2016): pull an image's features onto those of an image of another class, then ascend the
 * margin from there. It fools defences whose classifier hides its gradient but whose encoder has one.
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { untilFooled } from '../hits.ts';
import { margin } from '../losses.ts';
import { direction, type Norm, project } from '../norms.ts';
import { takeRows } from '../rows.ts';
import { ascend } from './pgd.ts';

export const feature =
  (norm: Norm): Attack<'feature-linf' | 'feature-l2'> =>
  async (context, settings) => {
    const { encoder } = context.resources;
    const stepSize = settings.stepSize ?? (2.5 * settings.epsilon) / settings.steps;
    const known = encodePool(context);
    const features = await known.data<'float32'>();
    known.dispose();
    return untilFooled(context, settings.guides, async (standing, guide) => {
      const { images } = standing;
      const goal = await goals(standing, features, guide);
      let x = images.clone();
      for (let step = 0; step < settings.steps; step++) {
        await context.yieldToEventLoop();
        const next = tf.tidy(() => {
          const slope = tf.grad((input) =>
            tf.sum(tf.squaredDifference(encoder(input as tf.Tensor2D), goal)).neg(),
          )(x);
          return project(
            x.add(direction(slope as tf.Tensor2D, norm).mul(stepSize)),
            images,
            norm,
            settings.epsilon,
          );
        });
        x.dispose();
        x = next;
      }
      goal.dispose();
      const rest = Math.ceil(settings.steps / 2);
      const tried = await ascend(standing, {
        norm,
        epsilon: settings.epsilon,
        stepSize,
        steps: rest,
        lossOf: margin,
        start: x,
        restart: guide,
      });
      return {
        ...tried,
        steps: tried.steps.map((count) => count + settings.steps),
        queries: tried.queries.map((count) => count + settings.steps),
      };
    });
  };

/**
 * For every image the features of its `guide`-th nearest image of another class; of the last one where there are fewer. One whose
 * features are not finite is no guide.
 */
const goals = async (context: AttackContext, all: Float32Array, guide: number): Promise<tf.Tensor2D> => {
  const { encoder, pool } = context.resources;
  const size = all.length / pool.labels.length;
  const own = tf.tidy(() => encoder(context.images));
  const values = await own.data<'float32'>();
  own.dispose();
  const chosen = new Float32Array(context.labels.length * size);
  context.labels.forEach((label, row) => {
    const mine = values.subarray(row * size, (row + 1) * size);
    const ranked = Array.from(pool.labels.keys())
      .filter((i) => pool.labels[i] !== label)
      .map((i) => ({ i, distance: squaredDistance(mine, all, i * size) }))
      .filter(({ distance }) => Number.isFinite(distance))
      .sort((a, b) => a.distance - b.distance);
    const goal = ranked[Math.min(guide, ranked.length - 1)];
    chosen.set(goal === undefined ? mine : all.subarray(goal.i * size, (goal.i + 1) * size), row * size);
  });
  return tf.tensor2d(chosen, [context.labels.length, size]);
};

const squaredDistance = (a: Float32Array, all: Float32Array, start: number): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - all[start + i]!) ** 2;
  return sum;
};

/** Features of all images of the evaluation, `[m, features]`. */
const encodePool = ({ model, resources: { encoder, pool } }: AttackContext): tf.Tensor2D =>
  tf.tidy(() => {
    const parts: tf.Tensor2D[] = [];
    for (let start = 0; start < pool.labels.length; start += model.batchSize) {
      const rows = Int32Array.from(
        { length: Math.min(model.batchSize, pool.labels.length - start) },
        (_, i) => start + i,
      );
      parts.push(tf.tidy(() => encoder(takeRows(pool.images, rows))));
    }
    return tf.concat(parts, 0);
  });
