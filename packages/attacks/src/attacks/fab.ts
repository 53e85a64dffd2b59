/**
 * FAB-T (Croce & Hein 2020, Algorithm 1, targeted; `autoattack/fab_base.py`): steps onto the linearised boundary between an image's class
 * and a target, pulled towards the image; after a hit, a step back towards it. The nearest hit over targets and restarts is kept.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { type FlatModel, likelyClasses } from '../flat-model.ts';
import { createNearest, type Nearest } from '../hits.ts';
import { type Norm, randomDirections, rowNorms } from '../norms.ts';
import { chooseRows, oneHot, positions } from '../rows.ts';

const maxBias = 0.1; // α_max
const overshoot = 1.05; // η
const backward = 0.9; // β

export const fab =
  (norm: Norm): Attack<'fab-t-linf' | 'fab-t-l2'> =>
  async (context, settings) => {
    const { images, labels, model } = context;
    const targets = await likelyClasses(context, settings.targets + 1);
    const nearest = createNearest(images);
    for (const target of targets)
      for (let restart = 0; restart < settings.restarts; restart++) {
        const gap = tf.tidy(() =>
          oneHot(target, model.classes).sub<tf.Tensor2D>(oneHot(labels, model.classes)),
        ); // e_t − e_y
        let x = restart === 0 ? images.clone() : startNear(context, nearest, norm, settings.epsilon, restart);
        for (let step = 0; step < settings.steps; step++) {
          await context.yieldToEventLoop();
          const next = await advance(context, x, gap, nearest, norm);
          x.dispose();
          x = next;
        }
        tf.dispose([x, gap]);
      }
    const steps = new Int32Array(labels.length).fill(targets.length * settings.restarts * settings.steps);
    return { adversarials: nearest.take(), steps, queries: steps.map((count) => 2 * count) };
  };

const advance = async (
  { model, images, labels }: AttackContext,
  x: tf.Tensor2D,
  gap: tf.Tensor2D,
  nearest: Nearest,
  norm: Norm,
): Promise<tf.Tensor2D> => {
  const moved = tf.tidy(() => step(model, images, x, gap, norm));
  const away = tf.tidy(() => rowNorms(moved.sub(images), norm));
  const classes = await model.predict(moved);
  const hit = (row: number): boolean => isMistake(classes[row]!, labels[row]!);
  const rows = positions(labels.length, () => true);
  nearest.keep({ x: moved, owners: rows, distances: await away.data<'float32'>() }, rows.filter(hit));
  const next = tf.tidy(() => {
    const back = images.add<tf.Tensor2D>(moved.sub(images).mul(backward));
    return chooseRows(hit, back, moved);
  });
  tf.dispose([moved, away]);
  return next;
};

/** Towards the boundary between the image's class and the target, biased towards the image. */
const step = (
  model: FlatModel,
  images: tf.Tensor2D,
  x: tf.Tensor2D,
  gap: tf.Tensor2D,
  norm: Norm,
): tf.Tensor2D => {
  const { logits, gradient: w } = model.gradient(x, (z) => tf.sum(z.mul(gap), 1));
  const f: tf.Tensor2D = tf.sum(logits.mul(gap), 1, true); // z_t − z_y, [n, 1]
  const fromHere = projectOntoHyperplane(x, w, tf.neg(f), norm);
  const fromImage = projectOntoHyperplane(images, w, tf.sum(w.mul(x.sub(images)), 1, true).sub(f), norm);
  const [here, there] = [rowNorms(fromHere, norm), rowNorms(fromImage, norm)];
  const bias = tf.minimum(here.div(tf.maximum(here.add(there), 1e-8)), maxBias);
  const ahead: tf.Tensor2D = x.add<tf.Tensor2D>(fromHere.mul(overshoot)).mul(tf.sub(1, bias));
  const home: tf.Tensor2D = images.add<tf.Tensor2D>(fromImage.mul(overshoot)).mul(bias);
  return tf.clipByValue(ahead.add<tf.Tensor2D>(home), 0, 1);
};

/** At half the best distance, or half of ε, in a random direction. */
const startNear = (
  context: AttackContext,
  nearest: Nearest,
  norm: Norm,
  epsilon: number,
  restart: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const draw = randomDirections(context, norm, 'start', restart);
    const unit = norm === 'linf' ? draw.div<tf.Tensor2D>(tf.max(tf.abs(draw), 1, true)) : draw;
    const radii = Float32Array.from(context.labels, (_, row) => Math.min(nearest.distance(row), epsilon));
    const radius = tf.tensor2d(radii, [radii.length, 1]).mul(0.5);
    return tf.clipByValue(context.images.add<tf.Tensor2D>(unit.mul(radius)), 0, 1);
  });

// Projections onto a hyperplane without leaving [0, 1] (Croce & Hein 2020, FAB, §2.2).

/** Newton steps on a concave, piecewise linear function from its left: each is exact within a piece, none overshoots. */
const newtonSteps = 10;

/**
 * The least δ in `norm` with ⟨w, δ⟩ = gap and 0 ≤ x + δ ≤ 1; all the way to the bounds where that cannot be reached.
 * With the room ρ_i that pixel i has in the direction of w_i, δ_i = sign(w_i)·min(λ, ρ_i) (L∞) or sign(w_i)·min(λ|w_i|, ρ_i) (L2), and λ
 * solves Σ min(λ s_i, |w_i| ρ_i) = |gap| with s_i = |w_i| or w_i². `x`, `w`: `[n, width]`; `gap`: `[n, 1]`, of either sign.
 */
export const projectOntoHyperplane = (
  x: tf.Tensor2D,
  w: tf.Tensor2D,
  gap: tf.Tensor2D,
  norm: Norm,
): tf.Tensor2D =>
  tf.tidy(() => {
    const towards = w.mul<tf.Tensor2D>(tf.greaterEqual(gap, 0).toFloat().mul(2).sub(1)); // uphill is where the plane is
    const up = tf.step(towards);
    const size = tf.abs(towards);
    const room: tf.Tensor2D = up.mul<tf.Tensor2D>(tf.sub(1, x)).add(tf.sub(1, up).mul(x)); // [n, width]
    const rate = norm === 'linf' ? size : tf.square(size);
    const limit = size.mul<tf.Tensor2D>(room);
    const goal = tf.abs(gap);
    let lambda = tf.zerosLike(gap);
    for (let i = 0; i < newtonSteps; i++)
      lambda = tf.tidy(() => {
        const left = tf.relu(limit.sub(rate.mul(lambda))); // what each pixel has not used of its limit
        const missing = goal.sub(tf.sum(limit.sub(left), 1, true));
        const slope = tf.sum(rate.mul(tf.step(left)), 1, true);
        return lambda.add(tf.maximum(missing, 0).div(tf.maximum(slope, 1e-12)));
      });
    const wanted: tf.Tensor2D = tf.clipByValue(
      norm === 'linf' ? tf.onesLike(x).mul(lambda) : size.mul(lambda),
      0,
      1,
    );
    const length = wanted.sub<tf.Tensor2D>(tf.relu(wanted.sub(room))); // the lesser of both
    const sign = up.mul(2).sub(1).mul(tf.step(size));
    return length.mul(sign);
  });
