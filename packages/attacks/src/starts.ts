/** Random points and directions, drawn on the host so that they are the same on every backend. */
import * as tf from '@tensorflow/tfjs';
import type { AttackContext } from './attack.ts';
import { type Norm, project, rowNorms } from './norms.ts';
import type { Random } from './random.ts';

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
