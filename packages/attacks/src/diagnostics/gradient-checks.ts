/** H10, H13, H20: whether the gradients that attacks follow exist, are right, and mean something a little farther on. */
import * as tf from '@tensorflow/tfjs';
import { crossEntropy, margin } from '../losses.ts';
import { project } from '../norms.ts';
import { oneHot } from '../rows.ts';
import { median } from '../statistics.ts';
import { type Check, type CheckContext, diagnostic, isCertain } from './check.ts';

/** `[n, width]` of draws from each image's stream. */
const draw = (
  { model, labels, random }: CheckContext,
  name: string,
  of: (uniform: number) => number,
): tf.Tensor2D => {
  const values = new Float32Array(labels.length * model.width);
  labels.forEach((_, row) => {
    const { uniform } = random(name, row);
    for (let i = row * model.width; i < (row + 1) * model.width; i++) values[i] = of(uniform());
  });
  return tf.tensor2d(values, [labels.length, model.width]);
};

/**
 * H10 = share of images whose cross-entropy gradient is exactly zero at a random point of the L∞ ball (`autoattack/checks.py`);
 * flagged above 0. The detail adds the share of zero values, of images with p_y = 1 in float32, and the same with the margin loss.
 */
export const gradientsAreNotZero: Check = async (context) => {
  const { model, images, labels, budgets } = context;
  const shares = tf.tidy(() => {
    const noise = draw(context, 'H10', (u) => budgets.linf * (2 * u - 1));
    const start = project(images.add<tf.Tensor2D>(noise), images, 'linf', budgets.linf);
    const truth = oneHot(labels, model.classes);
    const { logits, gradient } = model.gradient(start, crossEntropy(truth));
    const ofMargin = model.gradient(start, margin(truth)).gradient;
    const certainty = tf.sum(tf.softmax(logits).mul(truth), 1);
    const sure = tf.mean(tf.equal(certainty, 1).toFloat());
    return tf.stack([zeroRows(gradient), zeroRows(ofMargin), zeros(gradient), sure]);
  });
  const [zero = 0, zeroMargin = 0, zeroPixels = 0, certainty = 0] = await shares.data<'float32'>();
  shares.dispose();
  const detail = `Cross-entropy gradient exactly zero on ${share(zero)} of ${labels.length} images (margin: ${share(zeroMargin)}); zero values ${share(zeroPixels)}; p_y = 1 in float32 on ${share(certainty)}.`;
  return [
    diagnostic('H10', {
      value: zero,
      threshold: 0,
      flagged: zero > 0,
      certain: isCertain(labels.length, zero),
      detail,
    }),
  ];
};

/** Share of rows that are zero throughout, and of values that are zero. */
const zeroRows = (g: tf.Tensor2D): tf.Tensor => tf.mean(tf.equal(tf.max(tf.abs(g), 1), 0).toFloat());
const zeros = (g: tf.Tensor2D): tf.Tensor => tf.mean(tf.equal(g, 0).toFloat());

const pixelsTried = 50;
const imagesTried = 20;
const step = 1e-3;
const towardsNoise = 0.1;

/** How far `value` lies outside the interval between two others. */
const outside = (value: number, a: number, b: number): number =>
  Math.max(0, Math.min(a, b) - value, value - Math.max(a, b));

/**
 * H13 = ‖analytic − [left, right]‖ / min(‖analytic‖, ‖central‖) over 50 pixels of up to 20 images, of z_o − z_y for the likeliest other
 * class o; flagged above 0.05. `left`, `right` and `central` are the one-sided and central differences of h = 1e-3; the distance is 0
 * inside the interval of the one-sided ones. 0 where all vanish. The smaller norm, because a step function's rare jumps are large.
 *
 * The reference's formula is ‖analytic − central‖ / ‖central‖ at the images themselves. It flags honest networks (7 % on a plain
 * auto-encoder's classifier, 23 % on a network with max-pooling), because images sit where no gradient exists: over a black background
 * every pre-activation is the bare bias, within h of the kink of its ReLU, and pooled values tie. So the check leaves those places, for
 * 0.9·x + 0.1·u with u uniform in [0, 1], and takes a kink within h for what it is: there the derivative is one of its two sides. With both
 * the honest ones come to 0.6 % at most; what is left is float32, which cancels in differences of a smaller h.
 */
export const gradientsMatchDifferences: Check = async ({ model, values, labels: all, random }) => {
  const count = Math.min(imagesTried, all.length);
  const labels = all.slice(0, count);
  const noise = random('H13', 'noise');
  const points = values
    .slice(0, count * model.width)
    .map((value) => (1 - towardsNoise) * value + towardsNoise * noise.uniform());
  const pixels = random('H13').permutation(model.width).slice(0, pixelsTried);
  const x = tf.tensor2d(points, [count, model.width]);
  const gap = tf.tidy(() => {
    const truth = oneHot(labels, model.classes);
    const others = tf.argMax(model.logits(x).sub(truth.mul(1e9)), 1);
    return tf.oneHot(others, model.classes).toFloat().sub<tf.Tensor2D>(truth);
  });
  const loss = (logits: tf.Tensor2D) => tf.sum(logits.mul(gap), 1);
  const lossesAt = async (pixel: number, change: number): Promise<Float32Array> => {
    const moved = points.slice();
    for (let row = 0; row < count; row++) moved[row * model.width + pixel]! += change;
    const result = tf.tidy(() => loss(model.logits(tf.tensor2d(moved, [count, model.width]))));
    const losses = await result.data<'float32'>();
    result.dispose();
    return losses;
  };
  const gradient = tf.tidy(() => model.gradient(x, loss).gradient);
  const analytic = await gradient.data<'float32'>();
  const here = await lossesAt(0, 0);
  let [wrong, slopes, differences] = [0, 0, 0];
  for (const pixel of pixels) {
    const [up, down] = [await lossesAt(pixel, step), await lossesAt(pixel, -step)];
    for (let row = 0; row < count; row++) {
      const sides = [(here[row]! - down[row]!) / step, (up[row]! - here[row]!) / step] as const;
      const slope = analytic[row * model.width + pixel]!;
      wrong += outside(slope, ...sides) ** 2;
      slopes += slope ** 2;
      differences += ((sides[0] + sides[1]) / 2) ** 2;
    }
  }
  tf.dispose([x, gap, gradient]);
  const value = wrong === 0 ? 0 : Math.sqrt(wrong / Math.max(Math.min(slopes, differences), 1e-12));
  const detail = `Gradients differ from finite differences by ${share(value)} over ${pixels.length} pixels of ${count} images, taken 10 % towards noise, off the kinks.`;
  return [diagnostic('H13', { value, threshold: 0.05, flagged: value > 0.05, certain: value > 0.5, detail })];
};

/** H20 = median cosine of ∇margin at x and at x + n, ‖n‖₂ = 0.1; flagged below 0.3: the gradient is shattered. */
export const directionsAreStable: Check = async (context) => {
  const { model, images, labels } = context;
  const cosines = tf.tidy(() => {
    const noise = draw(context, 'H20', (u) => u - 0.5);
    const unit = noise.div(tf.sqrt(tf.sum(tf.square(noise), 1, true)));
    const loss = margin(oneHot(labels, model.classes));
    const here = model.gradient(images, loss).gradient;
    const near = model.gradient(images.add<tf.Tensor2D>(unit.mul(0.1)), loss).gradient;
    const norms = tf.sqrt(tf.sum(tf.square(here), 1).mul(tf.sum(tf.square(near), 1)));
    return tf.sum(here.mul(near), 1).div(tf.maximum(norms, 1e-30));
  });
  const value = median([...(await cosines.data<'float32'>())]) ?? 1;
  cosines.dispose();
  const detail = `Gradients 0.1 (L2) apart have a median cosine of ${value.toFixed(3)} over ${labels.length} images.`;
  return [diagnostic('H20', { value, threshold: 0.3, flagged: value < 0.3, detail })];
};

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
