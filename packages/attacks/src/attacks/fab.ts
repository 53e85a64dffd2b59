/**
 * FAB-T (Croce & Hein 2020, "Minimally distorted adversarial examples", Algorithm 1, targeted; `autoattack/fab_base.py`): every step goes
 * onto the linearised boundary between an image's class and a target class, with a bias towards the image. A hit then moves back towards
 * its image. The nearest hit over all targets and restarts is the result.
 *
 * Norm: L∞ or L2, no budget. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: `targets`·`restarts`·`steps` gradients and as many forward passes. `queries` leaves out the pass that ranks the targets.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { chooseRows, indicesWhere, isHostBackend, oneHot, takeRows, valuesAt } from '../batch-rows.ts';
import { type FlatModel, likelyClasses } from '../flat-model.ts';
import { createNearestHits, type NearestHits } from '../hits.ts';
import { type Norm, randomDirections, rowNorms } from '../norms.ts';
import { takeValues } from '../ownership.ts';

const maxBias = 0.1; // α_max
const overshoot = 1.05; // η
const backwardFactor = 0.9; // β

export const fab =
  (norm: Norm): Attack<'fab-t-linf' | 'fab-t-l2'> =>
  async (context, settings) => {
    const { images, labels, model, own } = context;
    const targets = await likelyClasses(model, images, labels, settings.targets + 1);
    const nearest = createNearestHits(context);
    for (const target of targets)
      for (let restart = 0; restart < settings.restarts; restart++) {
        const gap = own(
          tf.tidy(() => oneHot(target, model.classes).sub<tf.Tensor2D>(oneHot(labels, model.classes))),
        ); // e_t − e_y
        let x = own(
          restart === 0 ? images.clone() : randomStart(context, nearest, norm, settings.epsilon, restart),
        );
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

/**
 * A point in a random direction from the image. Its distance is half of ε, or half of the distance of the nearest hit when that is smaller.
 */
const randomStart = (
  context: AttackContext,
  nearest: NearestHits,
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

/** One step of every image, a tensor of the owner. Keeps nearer hits, and moves hits back towards their images. */
const advance = async (
  { model, images, labels, own }: AttackContext,
  x: tf.Tensor2D,
  gap: tf.Tensor2D,
  nearest: NearestHits,
  norm: Norm,
): Promise<tf.Tensor2D> => {
  const moved = own(tf.tidy(() => stepToBoundary(model, images, x, gap, norm)));
  const classes = await model.predict(moved);
  const isHit = (row: number): boolean => isMistake(classes[row]!, labels[row]!);
  const rows = indicesWhere(labels.length, () => true);
  const distances = await takeValues(tf.tidy(() => rowNorms(moved.sub(images), norm)));
  nearest.keep({ x: moved, owners: rows, distances }, rows.filter(isHit));
  const next = tf.tidy(() => {
    const back = images.add<tf.Tensor2D>(moved.sub(images).mul(backwardFactor));
    return chooseRows(isHit, back, moved);
  });
  moved.dispose();
  return own(next);
};

/** The weighted mean of two projections onto the linearised boundary: of the iterate and of the image. Their lengths give the weights. */
const stepToBoundary = (
  model: FlatModel,
  images: tf.Tensor2D,
  x: tf.Tensor2D,
  gap: tf.Tensor2D,
  norm: Norm,
): tf.Tensor2D => {
  const { logits, gradient: w } = model.gradient(x, (z) => tf.sum(z.mul(gap), 1));
  const f: tf.Tensor2D = tf.sum(logits.mul(gap), 1, true); // z_t − z_y, [n, 1]
  const fromIterate = projectOntoHyperplane(x, w, tf.neg(f), norm);
  const fromImage = projectOntoHyperplane(images, w, tf.sum(w.mul(x.sub(images)), 1, true).sub(f), norm);
  const [iterateLength, imageLength] = [rowNorms(fromIterate, norm), rowNorms(fromImage, norm)];
  const bias = tf.minimum(iterateLength.div(tf.maximum(iterateLength.add(imageLength), 1e-8)), maxBias);
  const iteratePart: tf.Tensor2D = x.add<tf.Tensor2D>(fromIterate.mul(overshoot)).mul(tf.sub(1, bias));
  const imagePart: tf.Tensor2D = images.add<tf.Tensor2D>(fromImage.mul(overshoot)).mul(bias);
  return tf.clipByValue(iteratePart.add<tf.Tensor2D>(imagePart), 0, 1);
};

/**
 * The number of Newton steps towards λ. The function is concave and piecewise linear, and the search starts left of its root. A step is
 * exact within a linear piece, and no step passes the root.
 */
const newtonSteps = 10;

/** The search of some rows for λ. `limit`, `rate`: `[rows, width]`; `goal`, `lambda`: `[rows, 1]`. */
type Search = Readonly<Record<'limit' | 'rate' | 'goal' | 'lambda', tf.Tensor2D>>;

const newtonStep = ({ limit, rate, goal, lambda }: Search): tf.Tensor2D =>
  tf.tidy(() => {
    const unused = tf.relu(limit.sub(rate.mul(lambda))); // the unused part of each pixel's limit
    const missing = goal.sub(tf.sum(limit.sub(unused), 1, true));
    const slope = tf.sum(rate.mul(tf.step(unused)), 1, true);
    return lambda.add(tf.maximum(missing, 0).div(tf.maximum(slope, 1e-12)));
  });

/**
 * λ of every row, `[n, 1]`. Most rows stop moving within three steps. Where a look at λ costs no round trip to a device, only the rows
 * that still move take the other steps.
 */
const newton = (search: Search): tf.Tensor2D => {
  if (!isHostBackend()) {
    let { lambda } = search;
    for (let i = 0; i < newtonSteps; i++) lambda = newtonStep({ ...search, lambda });
    return lambda;
  }
  const found = search.lambda.dataSync<'float32'>().slice();
  let moving = { ...search };
  let rows = indicesWhere(found.length, () => true);
  for (let i = 0; i < newtonSteps && rows.length > 0; i++) {
    const lambda = newtonStep(moving);
    const values = lambda.dataSync<'float32'>();
    const kept = indicesWhere(rows.length, (at) => !Object.is(values[at], found[rows[at]!]));
    for (const at of kept) found[rows[at]!] = values[at]!;
    moving = { ...moving, lambda };
    if (kept.length > rows.length / 2) continue;
    rows = valuesAt(rows, kept);
    moving = {
      limit: takeRows(moving.limit, kept),
      rate: takeRows(moving.rate, kept),
      goal: takeRows(moving.goal, kept),
      lambda: takeRows(moving.lambda, kept),
    };
  }
  return tf.tensor2d(found, [found.length, 1]);
};

/**
 * The smallest δ in `norm` with ⟨w, δ⟩ = gap and 0 ≤ x + δ ≤ 1 (Croce & Hein 2020, §2.2); when there is none, the δ that moves every pixel
 * to its bound. Let ρ_i be the room of pixel i in the direction of w_i. Then δ_i = sign(w_i)·min(λ, ρ_i) in L∞ and
 * sign(w_i)·min(λ|w_i|, ρ_i) in L2, where λ solves Σ min(λ s_i, |w_i| ρ_i) = |gap| with s_i = |w_i| or w_i².
 * `x`, `w`: `[n, width]`; `gap`: `[n, 1]`, of either sign.
 */
export const projectOntoHyperplane = (
  x: tf.Tensor2D,
  w: tf.Tensor2D,
  gap: tf.Tensor2D,
  norm: Norm,
): tf.Tensor2D =>
  tf.tidy(() => {
    const towards = w.mul<tf.Tensor2D>(tf.greaterEqual(gap, 0).toFloat().mul(2).sub(1)); // for a negative gap the plane lies downhill
    const up = tf.step(towards);
    const size = tf.abs(towards);
    const room: tf.Tensor2D = up.mul<tf.Tensor2D>(tf.sub(1, x)).add(tf.sub(1, up).mul(x)); // [n, width]
    const rate = norm === 'linf' ? size : tf.square(size);
    const limit = size.mul<tf.Tensor2D>(room);
    const lambda = newton({ limit, rate, goal: tf.abs(gap), lambda: tf.zerosLike(gap) });
    const wanted: tf.Tensor2D = tf.clipByValue(
      norm === 'linf' ? tf.onesLike(x).mul(lambda) : size.mul(lambda),
      0,
      1,
    );
    const length = wanted.sub<tf.Tensor2D>(tf.relu(wanted.sub(room))); // min(wanted, room)
    const sign = up.mul(2).sub(1).mul(tf.step(size));
    return length.mul(sign);
  });
