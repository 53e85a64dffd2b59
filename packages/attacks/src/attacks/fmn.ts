/**
 * Fast minimum norm (Pintor et al. 2021, Algorithm 1): gradient steps on the margin inside a ball whose radius shrinks while the point is
 * adversarial and grows while it is not. L2 points are projected on that ball, as the paper says; Foolbox 3.3.4 forgets to.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { createNearest, keepConfirmed } from '../hits.ts';
import { margin } from '../losses.ts';
import { dualNorms, type Norm, project, rowNorms } from '../norms.ts';
import { oneHot, positions } from '../rows.ts';

const minGamma = 0.001;

export const fmn =
  (norm: Norm): Attack<'fmn-l2' | 'fmn-linf'> =>
  async (context, settings) => {
    const { images, labels, model } = context;
    const truth = oneHot(labels, model.classes);
    const nearest = createNearest(images);
    const radii = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY);
    const queries = new Int32Array(labels.length).fill(settings.steps + 1);
    const owners = positions(labels.length, () => true);
    let x = images.clone();
    for (let step = 0; step <= settings.steps; step++) {
      await context.yieldToEventLoop();
      const decay = cosine(step, settings.steps);
      const gamma = minGamma + (settings.gamma - minGamma) * decay;
      const searching = owners.some((row) => nearest.distance(row) === Number.POSITIVE_INFINITY);
      const seen = await look(context, x, truth, norm, searching);
      const distances = seen.rows.map(({ distance }) => distance);
      const suspects = owners.filter((row) => seen.rows[row]!.fooled);
      const candidates = { x, owners, distances };
      const { asked, hits } = await keepConfirmed(nearest, model, labels, candidates, suspects);
      for (const row of asked) queries[row]!++;
      seen.rows.forEach((row, i) => {
        radii[i] = follow(radii[i]!, nearest.distance(i), { ...row, fooled: hits.has(i) }, gamma);
      });
      const stepSize = settings.stepSize * (0.01 + 0.99 * decay);
      const next = tf.tidy(() => {
        const unit = seen.gradient.div(tf.maximum(rowNorms(seen.gradient, 'l2'), 1e-12));
        // Into the range first: shrinking towards an image cannot leave it, while clipping after would waste some of the radius.
        const ahead: tf.Tensor2D = tf.clipByValue(x.add<tf.Tensor2D>(unit.mul(stepSize)), 0, 1);
        const limits = Float32Array.from(radii, (radius) => Math.min(radius, farther));
        return project(ahead, images, norm, tf.tensor2d(limits, [limits.length, 1]));
      });
      tf.dispose([x, seen.gradient]);
      x = next;
    }
    tf.dispose([x, truth]);
    const steps = new Int32Array(labels.length).fill(settings.steps);
    return { adversarials: nearest.take(), steps, queries };
  };

/** Beyond any image in [0, 1]. */
const farther = 1e6;

/** From 1 down to 0 over the steps. */
const cosine = (step: number, steps: number): number => (1 + Math.cos((Math.PI * step) / steps)) / 2;

type Seen = {
  readonly fooled: boolean;
  readonly distance: number;
  /** To the boundary of the linearised model, along the pixels that can still move. */
  readonly toBoundary: number;
};

/** The gradient of the margin at `x`, and one small read: what it is like there. `searching`: some image has no hit yet. */
const look = async (
  { model, images, labels }: AttackContext,
  x: tf.Tensor2D,
  truth: tf.Tensor2D,
  norm: Norm,
  searching: boolean,
) => {
  const [gradient, numbers] = tf.tidy(() => {
    const { logits, gradient } = model.gradient(x, margin(truth));
    const distance = rowNorms(x.sub(images), norm);
    const gap: tf.Tensor2D = tf.abs(margin(truth)(logits)).expandDims(1);
    const slope = searching ? dualNorms(gradient.mul(canMove(x, gradient)), norm) : tf.onesLike(gap);
    return [gradient, tf.concat([logits, distance, gap.div(slope.add(1e-12))], 1)];
  }) as [tf.Tensor2D, tf.Tensor2D]; // tidy loses that it is a pair
  const values = await numbers.data<'float32'>();
  numbers.dispose();
  const width = model.classes + 2;
  const classes = classesOf(values, model.classes, width);
  const rows = Array.from(
    labels,
    (label, i): Seen => ({
      fooled: isMistake(classes[i]!, label),
      distance: values[i * width + model.classes]!,
      toBoundary: values[i * width + model.classes + 1]!,
    }),
  );
  return { gradient, rows };
};

/**
 * The radius of the next step's ball. Before its first hit an image reaches for the linearised boundary; after it, the radius shrinks by γ
 * on a hit, and grows by γ on a miss. `nearest`: how far the nearest hit so far is, this one included.
 */
const follow = (
  radius: number,
  nearest: number,
  { fooled, distance, toBoundary }: Seen,
  gamma: number,
): number => {
  if (fooled) return Math.min(radius * (1 - gamma), nearest);
  if (nearest < Number.POSITIVE_INFINITY) return radius * (1 + gamma);
  return distance + toBoundary * (1 + gamma);
};

/** 1 where a pixel is not yet at the bound that the gradient pushes it to: only these bring the boundary nearer. */
const canMove = (x: tf.Tensor2D, gradient: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    const up = tf.step(gradient);
    return up.mul<tf.Tensor2D>(tf.step(tf.sub(1, x))).add(tf.sub(1, up).mul(tf.step(x)));
  });
