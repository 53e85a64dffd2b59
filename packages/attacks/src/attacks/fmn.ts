/**
 * Fast minimum norm (Pintor et al. 2021, Algorithm 1): gradient steps on the margin inside a ball whose radius shrinks while the iterate is
 * adversarial and grows while it is not. L2 iterates are projected onto that ball, as the paper says; Foolbox 3.3.4 does not project them.
 *
 * Norm: L2 or L∞, no budget. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: `steps` + 1 gradients, and one forward pass per nearer hit, to confirm it.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { indicesWhere, oneHot } from '../batch-rows.ts';
import { createNearestHits, keepConfirmed } from '../hits.ts';
import { margin } from '../losses.ts';
import { dualNorms, type Norm, project, rowNorms } from '../norms.ts';
import { takeValues } from '../ownership.ts';

const minGamma = 0.001;
/** Larger than the distance of any two images in [0, 1]. */
const maxRadius = 1e6;

export const fmn =
  (norm: Norm): Attack<'fmn-l2' | 'fmn-linf'> =>
  async (context, settings) => {
    const { images, labels, model, own } = context;
    const truth = own(oneHot(labels, model.classes));
    const nearest = createNearestHits(context);
    const radii = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY);
    const queries = new Int32Array(labels.length).fill(settings.steps + 1);
    const owners = indicesWhere(labels.length, () => true);
    let x = own(images.clone());
    for (let step = 0; step <= settings.steps; step++) {
      await context.yieldToEventLoop();
      const decay = cosine(step, settings.steps);
      const gamma = minGamma + (settings.gamma - minGamma) * decay;
      const searching = owners.some((row) => nearest.distance(row) === Number.POSITIVE_INFINITY);
      const { gradient, rows } = await measure(context, x, truth, norm, searching);
      const distances = rows.map(({ distance }) => distance);
      const suspects = owners.filter((row) => rows[row]!.fooled);
      const candidates = { x, owners, distances };
      const { asked, hits } = await keepConfirmed(nearest, model, labels, candidates, suspects);
      for (const row of asked) queries[row]!++;
      rows.forEach((row, i) => {
        radii[i] = nextRadius(radii[i]!, nearest.distance(i), { ...row, fooled: hits.has(i) }, gamma);
      });
      const stepSize = settings.stepSize * (0.01 + 0.99 * decay);
      const next = tf.tidy(() => {
        const unit = gradient.div(tf.maximum(rowNorms(gradient, 'l2'), 1e-12));
        // Clips first: the projection then moves towards the image and stays in [0, 1]. A clip after the projection would shorten the step.
        const ahead: tf.Tensor2D = tf.clipByValue(x.add<tf.Tensor2D>(unit.mul(stepSize)), 0, 1);
        const limits = Float32Array.from(radii, (radius) => Math.min(radius, maxRadius));
        return project(ahead, images, norm, tf.tensor2d(limits, [limits.length, 1]));
      });
      tf.dispose([x, gradient]);
      x = own(next);
    }
    const steps = new Int32Array(labels.length).fill(settings.steps);
    return { adversarials: nearest.take(), steps, queries };
  };

/** From 1 at the first step down to 0 at the last. */
const cosine = (step: number, steps: number): number => (1 + Math.cos((Math.PI * step) / steps)) / 2;

/** The measurements of one iterate, from a pass with a gradient. */
type Measurement = {
  readonly fooled: boolean;
  readonly distance: number;
  /** The distance to the boundary of the linearised model, along the pixels that can still move. */
  readonly toBoundary: number;
};

/** The gradient of the margin at `x`, `[n, width]`, a tensor of the owner, and the measurements of the rows. `searching`: some image has no hit yet. */
const measure = async (
  { model, images, labels, own }: AttackContext,
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
  }) as [tf.Tensor2D, tf.Tensor2D]; // the type of tidy forgets that this is a pair
  own(gradient);
  const values = await takeValues(numbers); // the only read from the device in a step
  const width = model.classes + 2;
  const classes = classesOf(values, model.classes, width);
  const rows = Array.from(
    labels,
    (label, i): Measurement => ({
      fooled: isMistake(classes[i]!, label),
      distance: values[i * width + model.classes]!,
      toBoundary: values[i * width + model.classes + 1]!,
    }),
  );
  return { gradient, rows };
};

/** 1 for a pixel that can still move in the direction of the gradient, 0 for a pixel at its bound. */
const canMove = (x: tf.Tensor2D, gradient: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    const up = tf.step(gradient);
    return up.mul<tf.Tensor2D>(tf.step(tf.sub(1, x))).add(tf.sub(1, up).mul(tf.step(x)));
  });

/**
 * The radius of the next step's ball. Before the first hit of an image the ball reaches the linearised boundary. Afterwards the radius
 * shrinks by γ on a hit and grows by γ on a miss. `nearest`: the distance of the nearest hit so far, this iterate included.
 */
const nextRadius = (
  radius: number,
  nearest: number,
  { fooled, distance, toBoundary }: Measurement,
  gamma: number,
): number => {
  if (fooled) return Math.min(radius * (1 - gamma), nearest);
  if (nearest < Number.POSITIVE_INFINITY) return radius * (1 + gamma);
  return distance + toBoundary * (1 + gamma);
};
