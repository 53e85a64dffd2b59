/** Distances between images, and projections onto the balls that attacks are limited to. All in units of the pixel range. */
import * as tf from '@tensorflow/tfjs';
import type { AttackContext } from './attack.ts';
import type { Random } from './random.ts';

export type Norm = 'l2' | 'linf';

/** Length of every row: `[n, d]` → `[n, 1]`. */
export const rowNorms = (delta: tf.Tensor2D, norm: Norm): tf.Tensor2D =>
  tf.tidy(
    (): tf.Tensor2D =>
      norm === 'l2' ? tf.sqrt(tf.sum(tf.square(delta), 1, true)) : tf.max(tf.abs(delta), 1, true),
  );

/** The dual norm: the rate at which a linear function with gradient `w` can grow per unit of `norm`. `[n, d]` → `[n, 1]`. */
export const dualNorms = (gradient: tf.Tensor2D, norm: Norm): tf.Tensor2D =>
  tf.tidy(() => (norm === 'l2' ? rowNorms(gradient, 'l2') : tf.sum(tf.abs(gradient), 1, true)));

/**
 * The sign of every value, 0 only at 0. tfjs-wasm's own Sign answers 0 for small values (below about 1e-7), which are all there is of
 * the gradient of a confident model: FGSM on it would stand still. Two multiplications lift even the least float32 above 1.
 */
export const signs = (values: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => tf.clipByValue(values.mul<tf.Tensor2D>(1e30).mul<tf.Tensor2D>(1e30), -1, 1));

/** Steepest ascent direction of unit length: the sign (L∞), or the gradient over its norm (L2). */
export const direction = (gradient: tf.Tensor2D, norm: Norm): tf.Tensor2D =>
  tf.tidy((): tf.Tensor2D => {
    if (norm === 'linf') return signs(gradient);
    return gradient.div(rowNorms(gradient, 'l2').add(1e-12));
  });

/** The values limited to ±`radius`, a `[n, 1]` column. On wasm, Maximum and Minimum with a column take 15 times as long as this. */
const limitTo = (delta: tf.Tensor2D, radius: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => delta.sub<tf.Tensor2D>(tf.relu(delta.sub(radius))).add(tf.relu(tf.neg(delta).sub(radius))));

/**
 * `x` moved into the ball of radius `epsilon` around `images`, then into [0, 1]. The second move cannot leave the ball: `images` is
 * in [0, 1], so it only brings values nearer. `epsilon` is a number or a `[n, 1]` column.
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
        typeof epsilon === 'number' ? tf.clipByValue(delta, -epsilon, epsilon) : limitTo(delta, epsilon);
      return tf.clipByValue(images.add<tf.Tensor2D>(limited), 0, 1);
    }
    const factor = tf.minimum(1, tf.div(epsilon, tf.maximum(rowNorms(delta, 'l2'), 1e-12)));
    return tf.clipByValue(images.add<tf.Tensor2D>(delta.mul(factor)), 0, 1);
  });

export type Distances = { readonly l2: number; readonly linf: number; readonly l0: number };

/**
 * Distances of row `row`, in double precision. `l0` counts pixels: a pixel all of whose `channels` agree is unchanged.
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

// Random points and directions, drawn on the host so that they are the same on every backend.

/** One row of values per image, each from that image's own stream. */
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

/** Uniform in [−1, 1] per pixel (L∞), or a normal draw of unit length (L2). */
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

/** Uniform in the ball of radius `epsilon` around every image, clipped to [0, 1]. */
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
