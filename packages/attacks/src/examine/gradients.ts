/**
 * Compares the gradients of a model with finite differences, for this model on this backend. TensorFlow.js computes the gradients of some
 * operators wrongly, and others have none. Attacks then find nothing, and the model looks robust.
 */
import type { Examination, ExaminationFinding } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { isHostBackend } from '../batch-rows.ts';
import type { FlatModel } from '../flat-model.ts';
import type { Random } from '../random.ts';
import { median } from '../statistics.ts';

export type GradientReport = {
  readonly gradients: Examination['gradients'];
  readonly finding: ExaminationFinding;
};

type Examined = {
  readonly model: FlatModel;
  /** Rows of pixels in [0, 1], `[n, width]`. */
  readonly values: Float32Array;
  readonly random: (...path: readonly (string | number)[]) => Random;
};

const directions = 20;
const threshold = 0.05;
/** The change of a pixel, in units of [0, 1]: the small one for curved functions, the large one against the rounding of float32. */
const steps = [2.5e-4, 2e-3] as const;
/** The points keep this distance from 0 and 1, so that no step leaves the range of pixels. */
const edge = 0.05;

/** More points make the median steadier. Large images and the slow backend get fewer: a point costs 84 forward passes. */
const pointsFor = (width: number): number =>
  tf.getBackend() === 'cpu' || width > 4096 ? 2 : isHostBackend() ? 8 : 16;

/**
 * f(x) = ⟨c, logits(x)⟩ has the gradient g, with a random sign c per class. For 20 random directions v and for g's own direction, the check
 * compares ⟨g, v⟩ with (f(x + hv) − f(x − hv)) / 2h at two step sizes h; the nearer one counts. The value is the median of the relative
 * errors over the random directions of all points, or over g's own directions if this is larger. It is flagged above 0.05.
 *
 * The points are images moved 10 % towards noise: flat backgrounds lie on the kinks of ReLU and max pooling, where no gradient exists.
 * Whether the gradient is a number is asked at the images themselves.
 */
export const compareGradients = async (examined: Examined): Promise<GradientReport> => {
  const { model, random } = examined;
  const count = Math.min(pointsFor(model.width), examined.values.length / model.width);
  const clean = examined.values.subarray(0, count * model.width);
  const noise = random('noise');
  const points = clean.map((value) => edge + (1 - 4 * edge) * value + 2 * edge * noise.uniform());
  const draw = random('signs');
  const signs = Float32Array.from({ length: count * model.classes }, () => (draw.uniform() < 0.5 ? -1 : 1));
  const atImages = await gradientAt(model, clean, signs);
  if (typeof atImages === 'string') return missing(atImages);
  const notNumbers = rowsWhere(atImages, model.width, (value) => !Number.isFinite(value));
  if (notNumbers > 0)
    return wrong(
      notNumbers / count,
      `The gradient is not a number at ${notNumbers} of ${count} images: an operator such as a square root has no derivative there. White-box attacks are blind; replace the operator, for example √x by √(x + 1e-12).`,
    );
  const atPoints = await gradientAt(model, points, signs);
  if (typeof atPoints === 'string') return missing(atPoints);
  const {
    random: errors,
    own,
    changes,
  } = await relativeErrors({ model, points, signs, gradients: atPoints, random });
  if (atPoints.every((value) => value === 0) && atImages.every((value) => value === 0) && changes)
    return wrong(
      1,
      'The gradient is zero everywhere, although the outputs change with the image: the model rounds or compares values. White-box attacks are blind; use black-box attacks.',
    );
  if (errors.length === 0)
    return {
      gradients: 'right',
      finding: {
        name: 'gradients',
        status: 'ok',
        value: null,
        detail: 'The outputs could not be compared: they change too little, or are not numbers.',
      },
    };
  const value = Math.max(median(errors) ?? 0, median(own) ?? 0);
  const measured = `Gradients differ from finite differences by ${(100 * value).toFixed(1)} % (median of ${errors.length} random directions)`;
  return value <= threshold
    ? { gradients: 'right', finding: { name: 'gradients', status: 'ok', value, detail: `${measured}.` } }
    : wrong(
        value,
        `${measured}: an operator of the model has a wrong gradient on the backend ${tf.getBackend()}. Try another backend, or use black-box attacks.`,
      );
};

const wrong = (value: number, detail: string): GradientReport => ({
  gradients: 'wrong',
  finding: { name: 'gradients', status: 'marked', value, detail },
});

const missing = (reason: string): GradientReport => ({
  gradients: 'missing',
  finding: {
    name: 'gradients',
    status: 'marked',
    value: null,
    detail: `The model has no gradient on the backend ${tf.getBackend()} (${reason}). Try another backend, or use black-box attacks.`,
  },
});

/** ∂⟨signs, logits⟩/∂x, `[n, width]`, or the reason why TensorFlow.js cannot compute it. */
const gradientAt = async (
  model: FlatModel,
  rows: Float32Array,
  signs: Float32Array,
): Promise<Float32Array | string> => {
  const count = rows.length / model.width;
  let gradient: tf.Tensor | undefined;
  try {
    gradient = tf.tidy(() => {
      const weights = tf.tensor2d(signs, [count, model.classes]);
      return model.gradient(tf.tensor2d(rows, [count, model.width]), (logits) =>
        tf.sum(logits.mul(weights), 1),
      ).gradient;
    });
    return await gradient.data<'float32'>();
  } catch (error) {
    return reasonOf(error instanceof Error ? error.message : String(error));
  } finally {
    gradient?.dispose();
  }
};

/** TensorFlow.js names the operator in one of these ways. */
const reasonOf = (message: string): string => {
  const operator =
    /Kernel '(\w+)' not registered/.exec(message)?.[1] ??
    /gradient function not found for (\w+)/.exec(message)?.[1];
  return operator ? `the operator ${operator} has none` : message.split('\n')[0]!.replace(/\.$/, '');
};

const rowsWhere = (values: Float32Array, width: number, condition: (value: number) => boolean): number => {
  let rows = 0;
  for (let start = 0; start < values.length; start += width)
    if (values.subarray(start, start + width).some(condition)) rows++;
  return rows;
};

type Comparison = {
  readonly model: FlatModel;
  readonly points: Float32Array;
  readonly signs: Float32Array;
  readonly gradients: Float32Array;
  readonly random: Examined['random'];
};

/** Relative errors along random directions and along the gradients. `changes`: the function changed measurably somewhere. */
const relativeErrors = async ({ model, points, signs, gradients, random }: Comparison) => {
  const { width, classes } = model;
  const count = points.length / width;
  const errors: { random: number[]; own: number[]; changes: boolean } = {
    random: [],
    own: [],
    changes: false,
  };
  for (let direction = 0; direction <= directions; direction++) {
    const { uniform } = random('direction', direction);
    const isOwn = direction === directions;
    const v = isOwn ? ownDirections(gradients, width) : points.map(() => (uniform() < 0.5 ? -1 : 1));
    const moved = new Float32Array(points.length * 4);
    [steps[0], -steps[0], steps[1], -steps[1]].forEach((step, part) => {
      for (let i = 0; i < points.length; i++) moved[part * points.length + i] = points[i]! + step * v[i]!;
    });
    const outputs = tf.tidy(() => model.logits(tf.tensor2d(moved, [4 * count, width])));
    const logits = await outputs.data<'float32'>();
    outputs.dispose();
    for (let row = 0; row < count; row++) {
      const f = (part: number) => dot(signs, row * classes, logits, (part * count + row) * classes, classes);
      const analytic = dot(gradients, row * width, v, row * width, width);
      const rounding = 3e-6 * norm(logits, row * classes, classes);
      const measured = steps.flatMap((step, i) => {
        const central = (f(2 * i) - f(2 * i + 1)) / (2 * step);
        const size = Math.max(Math.abs(central), Math.abs(analytic));
        if (Math.abs(central) * 2 * step > rounding) errors.changes = true;
        return size * 2 * step > 20 * rounding ? [Math.abs(central - analytic) / size] : [];
      });
      if (measured.length > 0) errors[isOwn ? 'own' : 'random'].push(Math.min(...measured));
    }
  }
  return errors;
};

/** Each row of the gradients, scaled so that the mean square of its values is 1 and no step leaves the range of pixels. */
const ownDirections = (gradients: Float32Array, width: number): Float32Array => {
  const scaled = gradients.slice();
  for (let start = 0; start < scaled.length; start += width) {
    const row = scaled.subarray(start, start + width);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const rms = norm(row, 0, width) / Math.sqrt(width);
    const scale = largest === 0 ? 0 : Math.min(1 / rms, edge / (steps[1] * largest));
    row.forEach((value, i) => {
      row[i] = value * scale;
    });
  }
  return scaled;
};

const dot = (
  a: ArrayLike<number>,
  aStart: number,
  b: ArrayLike<number>,
  bStart: number,
  length: number,
): number => {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aStart + i]! * b[bStart + i]!;
  return sum;
};

const norm = (a: ArrayLike<number>, start: number, length: number): number =>
  Math.sqrt(dot(a, start, a, start, length));
