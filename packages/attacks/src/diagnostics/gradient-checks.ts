/** Checks of the gradients that attacks follow: H10 they exist, H13 they are right, H20 they keep their direction over a short distance. */
import * as tf from '@tensorflow/tfjs';
import { oneHot } from '../batch-rows.ts';
import { crossEntropy, margin } from '../losses.ts';
import { project } from '../norms.ts';
import { owning, takeValues } from '../ownership.ts';
import { median } from '../statistics.ts';
import { type Check, type CheckContext, diagnostic, isCertain, percent } from './check.ts';

/** `[n, width]`: draws from each image's own stream. `name` names the streams and so is part of the result. */
const drawRows = (
  { model, labels, random }: CheckContext,
  name: string,
  transform: (uniform: number) => number,
): tf.Tensor2D => {
  const values = new Float32Array(labels.length * model.width);
  labels.forEach((_, row) => {
    const { uniform } = random(name, row);
    for (let i = row * model.width; i < (row + 1) * model.width; i++) values[i] = transform(uniform());
  });
  return tf.tensor2d(values, [labels.length, model.width]);
};

/**
 * H10 = the share of the images whose cross-entropy gradient is exactly zero at a random point of the L∞ ball (`autoattack/checks.py`);
 * flagged above 0. The detail adds the same share for the margin loss, the share of zero values, and the share of images with p_y = 1 in
 * float32.
 */
export const gradientIsZero: Check = async (context) => {
  const { model, images, labels, budgets } = context;
  const shares = tf.tidy(() => {
    const noise = drawRows(context, 'H10', (u) => budgets.linf * (2 * u - 1));
    const start = project(images.add<tf.Tensor2D>(noise), images, 'linf', budgets.linf);
    const truth = oneHot(labels, model.classes);
    const { logits, gradient } = model.gradient(start, crossEntropy(truth));
    const ofMargin = model.gradient(start, margin(truth)).gradient;
    const probability = tf.sum(tf.softmax(logits).mul(truth), 1);
    const certain = tf.mean(tf.equal(probability, 1).toFloat());
    return tf.stack([zeroRows(gradient), zeroRows(ofMargin), zeroValues(gradient), certain]);
  });
  const [zero = 0, zeroMargin = 0, zeroPixels = 0, certainImages = 0] = await takeValues(shares);
  const detail = `Cross-entropy gradient exactly zero on ${percent(zero)} of ${labels.length} images (margin: ${percent(zeroMargin)}); zero values ${percent(zeroPixels)}; p_y = 1 in float32 on ${percent(certainImages)}.`;
  return [
    diagnostic('H10', {
      images: labels.length,
      value: zero,
      threshold: 0,
      flagged: zero > 0,
      certain: isCertain(labels.length, zero),
      detail,
    }),
  ];
};

/** The share of the rows whose values are all zero. */
const zeroRows = (g: tf.Tensor2D): tf.Tensor => tf.mean(tf.equal(tf.max(tf.abs(g), 1), 0).toFloat());
/** The share of the values that are zero. */
const zeroValues = (g: tf.Tensor2D): tf.Tensor => tf.mean(tf.equal(g, 0).toFloat());

const maxPixels = 50;
const maxImages = 20;
const step = 1e-3;
const noiseShare = 0.1;

/** How many of the first images have a gradient that is not a number, at the images themselves: √x has none at 0. */
const countNotNumbers = async (
  model: CheckContext['model'],
  images: tf.Tensor2D,
  count: number,
  loss: (logits: tf.Tensor2D) => tf.Tensor,
): Promise<number> => {
  const sums = tf.tidy(() => tf.sum(model.gradient(images.slice([0, 0], [count, -1]), loss).gradient, 1));
  const values = await takeValues(sums);
  return values.filter((value) => !Number.isFinite(value)).length;
};

/** The distance of `value` from the interval between `a` and `b`. */
const distanceToInterval = (value: number, a: number, b: number): number =>
  Math.max(0, Math.min(a, b) - value, value - Math.max(a, b));

/**
 * H13 = ‖analytic − [left, right]‖ / min(‖analytic‖, ‖central‖) over 50 pixels of up to 20 images, for z_o − z_y with the most likely other
 * class o; flagged above 0.05. `left`, `right` and `central` are the one-sided and central differences with h = 1e-3. The distance to the
 * interval [left, right] is 0 inside it. The value is 0 when all vanish. The denominator is the smaller norm, because the rare jumps of a
 * step function are large.
 *
 * The usual formula is ‖analytic − central‖ / ‖central‖ at the images themselves. It flags honest networks (7 % on the classifier of a
 * plain auto-encoder, 23 % on a network with max-pooling), because images lie where no gradient exists: over a black background every
 * pre-activation is the bias alone, within h of the kink of its ReLU, and pooled values tie. The check therefore moves to 0.9·x + 0.1·u
 * with u uniform in [0, 1], and accepts any value between the two one-sided derivatives of a kink. With both changes honest networks reach
 * 0.6 % at most. This remainder is the rounding of float32, which grows when h is smaller.
 */
export const gradientIsWrong: Check = ({ model, images, values, labels: all, random }) =>
  owning(async (own) => {
    const count = Math.min(maxImages, all.length);
    const labels = all.slice(0, count);
    const noise = random('H13', 'noise');
    const points = values
      .slice(0, count * model.width)
      .map((value) => (1 - noiseShare) * value + noiseShare * noise.uniform());
    const pixels = random('H13').permutation(model.width).slice(0, maxPixels);
    const x = own(tf.tensor2d(points, [count, model.width]));
    const gap = own(
      tf.tidy(() => {
        const truth = oneHot(labels, model.classes);
        const others = tf.argMax(model.logits(x).sub(truth.mul(1e9)), 1);
        return tf.oneHot(others, model.classes).toFloat().sub<tf.Tensor2D>(truth);
      }),
    );
    const loss = (logits: tf.Tensor2D) => tf.sum(logits.mul(gap), 1);
    const lossesAt = (pixel: number, change: number): Promise<Float32Array> => {
      const moved = points.slice();
      for (let row = 0; row < count; row++) moved[row * model.width + pixel]! += change;
      const result = tf.tidy(() => loss(model.logits(tf.tensor2d(moved, [count, model.width]))));
      return takeValues(result);
    };
    const analytic = await takeValues(tf.tidy(() => model.gradient(x, loss).gradient));
    const notNumbers = await countNotNumbers(model, images, count, loss);
    const here = await lossesAt(0, 0);
    let [wrong, slopes, differences] = [0, 0, 0];
    for (const pixel of pixels) {
      const [up, down] = [await lossesAt(pixel, step), await lossesAt(pixel, -step)];
      for (let row = 0; row < count; row++) {
        const sides = [(here[row]! - down[row]!) / step, (up[row]! - here[row]!) / step] as const;
        const slope = analytic[row * model.width + pixel]!;
        wrong += distanceToInterval(slope, ...sides) ** 2;
        slopes += slope ** 2;
        differences += ((sides[0] + sides[1]) / 2) ** 2;
      }
    }
    if (notNumbers > 0) {
      const detail = `The gradient is not a number at ${notNumbers} of ${count} images.`;
      return [diagnostic('H13', { images: count, value: 1, threshold: 0.05, flagged: true, detail })];
    }
    const difference = wrong === 0 ? 0 : Math.sqrt(wrong / Math.max(Math.min(slopes, differences), 1e-12));
    const value = Number.isFinite(difference) ? difference : 1; // no comparison flags NaN
    const detail = `Gradients differ from finite differences by ${percent(value)} over ${pixels.length} pixels of ${count} images, which are moved 10 % towards noise, away from kinks.`;
    return [
      diagnostic('H13', {
        images: count,
        value,
        threshold: 0.05,
        flagged: value > 0.05,
        certain: value > 0.5,
        detail,
      }),
    ];
  });

/**
 * H20 = the median cosine between ∇margin at x and at x + n, ‖n‖₂ = 0.1; flagged below 0.3: the gradient is shattered (Athalye et al.
 * 2018).
 */
export const gradientIsShattered: Check = async (context) => {
  const { model, images, labels } = context;
  const cosines = tf.tidy(() => {
    const noise = drawRows(context, 'H20', (u) => u - 0.5);
    const unit = noise.div(tf.sqrt(tf.sum(tf.square(noise), 1, true)));
    const loss = margin(oneHot(labels, model.classes));
    const here = model.gradient(images, loss).gradient;
    const near = model.gradient(images.add<tf.Tensor2D>(unit.mul(0.1)), loss).gradient;
    const norms = tf.sqrt(tf.sum(tf.square(here), 1).mul(tf.sum(tf.square(near), 1)));
    return tf.sum(here.mul(near), 1).div(tf.maximum(norms, 1e-30));
  });
  // A gradient that is not a number has no direction.
  const directions = Array.from(await takeValues(cosines), (cosine) => (Number.isNaN(cosine) ? 0 : cosine));
  const value = median(directions) ?? 1;
  const detail = `Gradients 0.1 (L2) apart have a median cosine of ${value.toFixed(3)} over ${labels.length} images.`;
  return [diagnostic('H20', { images: labels.length, value, threshold: 0.3, flagged: value < 0.3, detail })];
};
