/**
 * The norms: distances between images, projections onto the ball of an attack, and random points in it. Distances are in units of the
 * pixel range: images lie in [0, 1].
 */
import { longestStep } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { AttackContext } from './attack.ts';
import type { Random } from './random.ts';

export type Norm = 'l2' | 'linf';

/** The length of a step of projected gradient ascent: `stepSize`, or 2.5 ε / steps. */
export const stepLength = ({
  epsilon,
  stepSize,
  steps,
}: {
  readonly epsilon: number;
  readonly stepSize: number | null;
  readonly steps: number;
}): number => Math.min(stepSize ?? (2.5 * epsilon) / steps, longestStep(epsilon));

/** The norm of every row: `[n, d]` → `[n, 1]`. */
export const rowNorms = (delta: tf.Tensor2D, norm: Norm): tf.Tensor2D =>
  tf.tidy(
    (): tf.Tensor2D =>
      norm === 'l2' ? tf.sqrt(tf.sum(tf.square(delta), 1, true)) : tf.max(tf.abs(delta), 1, true),
  );

/** The dual norm: how much a linear function with this gradient can grow per unit of `norm`. `[n, d]` → `[n, 1]`. */
export const dualNorms = (gradient: tf.Tensor2D, norm: Norm): tf.Tensor2D =>
  tf.tidy(() => (norm === 'l2' ? rowNorms(gradient, 'l2') : tf.sum(tf.abs(gradient), 1, true)));

/**
 * The sign of every value, 0 only for 0. The kernel Sign of tfjs-wasm 4.22 returns 0 for values below about 1e-7, and the whole gradient
 * of a confident model lies below that. Two multiplications lift even the smallest float32 above 1.
 */
export const signOf = (values: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => tf.clipByValue(values.mul<tf.Tensor2D>(1e30).mul<tf.Tensor2D>(1e30), -1, 1));

/** The direction of steepest ascent, of length 1 in `norm`: the sign of the gradient (L∞), or the gradient over its norm (L2). */
export const ascentDirection = (gradient: tf.Tensor2D, norm: Norm): tf.Tensor2D =>
  tf.tidy((): tf.Tensor2D => {
    if (norm === 'linf') return signOf(gradient);
    return gradient.div(rowNorms(gradient, 'l2').add(1e-12));
  });

/**
 * The values clipped to ±`radius`, a column `[n, 1]`, and to ±4, because a difference with a huge value would lose the radius. A change
 * by 4 leaves the pixel range anyway. On wasm, Maximum and Minimum with a column take 15 times as long.
 */
const clipToColumn = (values: tf.Tensor2D, radius: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    const delta = tf.clipByValue(values, -4, 4);
    return delta.sub<tf.Tensor2D>(tf.relu(delta.sub(radius))).add(tf.relu(tf.neg(delta).sub(radius)));
  });

/**
 * Moves `x` into the ball of radius `epsilon` around `images`, then into [0, 1]. The second move stays in the ball: `images` lie in [0, 1],
 * so it brings every value nearer to its image. `x`, `images`: `[n, width]`; `epsilon`: a number or a column `[n, 1]`.
 */
export const project = (
  x: tf.Tensor2D,
  images: tf.Tensor2D,
  norm: Norm,
  epsilon: number | tf.Tensor2D,
): tf.Tensor2D =>
  tf.tidy(() => {
    const delta = x.sub<tf.Tensor2D>(images);
    if (norm === 'linf') {
      const limited: tf.Tensor2D =
        typeof epsilon === 'number' ? tf.clipByValue(delta, -epsilon, epsilon) : clipToColumn(delta, epsilon);
      return tf.clipByValue(images.add<tf.Tensor2D>(limited), 0, 1);
    }
    const factor = tf.minimum(1, tf.div(epsilon, tf.maximum(rowNorms(delta, 'l2'), 1e-12)));
    return tf.clipByValue(images.add<tf.Tensor2D>(delta.mul(factor)), 0, 1);
  });

export type Distances = { readonly l2: number; readonly linf: number; readonly l0: number };

/**
 * The distances of row `row` between `x` and `images`, in double precision. `l0` counts pixels: a pixel has changed when any of its
 * `channels` has.
 */
export const measureRow = (
  x: Float32Array,
  images: Float32Array,
  row: number,
  width: number,
  channels: number,
): Distances => {
  let squares = 0;
  let linf = 0;
  let l0 = 0;
  for (let pixel = row * width; pixel < (row + 1) * width; pixel += channels) {
    let changed = false;
    for (let i = pixel; i < pixel + channels; i++) {
      const delta = Math.abs(x[i]! - images[i]!);
      squares += delta * delta;
      if (delta > linf) linf = delta;
      if (delta > 0) changed = true;
    }
    if (changed) l0++;
  }
  return { l2: Math.sqrt(squares), linf, l0 };
};

/** `[n, width]`: one row of draws per image, from the image's own stream. The host draws, so every backend gets the same values. */
const drawRows = (
  context: AttackContext,
  path: readonly (string | number)[],
  draw: (random: Random) => number,
): tf.Tensor2D => {
  const rows = context.labels.length;
  const { width } = context.model;
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const random = context.random(row, ...path);
    for (let i = row * width; i < (row + 1) * width; i++) values[i] = draw(random);
  }
  return tf.tensor2d(values, [rows, width]);
};

/** A random direction per image, `[n, width]`: uniform in [−1, 1] per pixel (L∞), or uniform on the sphere of radius 1 (L2). */
export const randomDirections = (
  context: AttackContext,
  norm: Norm,
  ...path: readonly (string | number)[]
): tf.Tensor2D =>
  tf.tidy((): tf.Tensor2D => {
    if (norm === 'linf') return drawRows(context, path, ({ uniform }) => 2 * uniform() - 1);
    const normal = drawRows(context, path, (random) => random.normal());
    return normal.div(rowNorms(normal, 'l2').add(1e-12));
  });

/** A uniform point of the ball of radius `epsilon` around every image, clipped to [0, 1]. `[n, width]`. */
export const randomStarts = (
  context: AttackContext,
  norm: Norm,
  epsilon: number,
  ...path: readonly (string | number)[]
): tf.Tensor2D =>
  tf.tidy(() => {
    const { images, labels, model } = context;
    const directions = randomDirections(context, norm, ...path);
    // The radius of a uniform point in a d-ball is U^(1/d).
    const radii = Float32Array.from(labels, (_, row) =>
      norm === 'linf'
        ? epsilon
        : epsilon * context.random(row, ...path, 'radius').uniform() ** (1 / model.width),
    );
    const moved = images.add<tf.Tensor2D>(directions.mul(tf.tensor2d(radii, [radii.length, 1])));
    return project(moved, images, norm, epsilon);
  });
