/**
 * Compares the gradients of a model with finite differences, for this model on this backend. TensorFlow.js computes the gradients of some
 * operators wrongly, and others have none. Attacks then find nothing, and the model looks robust.
 */
import {
  type Examination,
  type ExaminationCode,
  type ExaminationFinding,
  examinationFinding,
} from '@funnel/contracts';
import { operatorsWithoutGradient } from '@funnel/kernels';
import * as tf from '@tensorflow/tfjs';
import { isHostBackend } from '../batch-rows.ts';
import type { FlatModel } from '../flat-model.ts';
import { takeValues } from '../ownership.ts';
import type { Random } from '../random.ts';
import { median } from '../statistics.ts';
import { outputsOf } from './outputs.ts';

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
const smallSteps = [2.5e-4, 2e-3] as const;
/** The points keep this distance from 0 and 1, so that no step leaves the range of pixels. */
const edge = 0.05;

/**
 * More points make the median steadier. Large images and the slow backend get two at first, because a point costs 84 forward passes, and more
 * if the median of these two is `unclear`.
 */
const pointsFor = (width: number): { readonly first: number; readonly all: number } => {
  const all = isHostBackend() ? 8 : 16;
  return { first: tf.getBackend() === 'cpu' || width > 4096 ? 2 : all, all };
};
const isUnclear = (value: number): boolean => value > threshold / 5 && value < 4 * threshold;

/**
 * f(x) = ⟨c, logits(x)⟩ has the gradient g, with a random sign c per class. For 20 random directions v and for g's own direction, the check
 * compares ⟨g, v⟩ with (f(x + hv) − f(x − hv)) / 2h at two step sizes h; the nearer one counts. The value is the median of the relative
 * errors over the random directions of all points, or over g's own directions if this is larger. It is flagged above 0.05.
 *
 * The points are images moved 10 % towards noise: flat backgrounds lie on the kinks of ReLU and max pooling, where no gradient exists.
 * Whether the gradient is a number is asked at the images themselves.
 */
export const compareGradients = async (examined: Examined): Promise<GradientReport> => {
  const { width } = examined.model;
  const images = examined.values.length / width;
  const { first, all } = pointsFor(width);
  const report = await compareAt(examined, Math.min(first, images));
  const hasMore = Math.min(all, images) > first;
  return hasMore && isUnclear(report.finding.value ?? 0)
    ? compareAt(examined, Math.min(all, images))
    : report;
};

/** The comparison at the first `count` images. */
const compareAt = async (examined: Examined, count: number): Promise<GradientReport> => {
  const { model, random } = examined;
  const clean = examined.values.subarray(0, count * model.width);
  const noise = random('noise');
  const points = clean.map((value) => edge + (1 - 4 * edge) * value + 2 * edge * noise.uniform());
  const draw = random('signs');
  const signs = Float32Array.from({ length: count * model.classes }, () => (draw.uniform() < 0.5 ? -1 : 1));
  const atImages = await gradientAt(model, clean, signs);
  if (typeof atImages === 'string') return missing(await blame(model, clean, atImages));
  const notNumbers = rowsWhere(atImages, model.width, (value) => !Number.isFinite(value));
  if (notNumbers > 0)
    return wrong(
      'gradient-not-a-number',
      notNumbers / count,
      `The gradient is not a number at ${notNumbers} of ${count} images: an operator such as a square root has no derivative there. White-box attacks are blind; replace the operator, for example √x by √(x + 1e-12).`,
    );
  const atPoints = await gradientAt(model, points, signs);
  if (typeof atPoints === 'string') return missing(await blame(model, points, atPoints));
  const {
    random: errors,
    own,
    changes,
  } = await relativeErrors({ model, points, signs, gradients: atPoints, random });
  if (atPoints.every((value) => value === 0) && atImages.every((value) => value === 0) && changes)
    return wrong(
      'gradient-is-zero',
      1,
      'The gradient is zero everywhere, although the outputs change with the image: the model rounds or compares values. White-box attacks are blind; use black-box attacks.',
    );
  if (errors.length === 0)
    return {
      gradients: 'unknown',
      finding: examinationFinding(
        'gradients',
        'gradient-not-compared',
        'The gradients could not be compared with finite differences: the outputs change too little, or are not numbers. Trust black-box attacks only.',
      ),
    };
  const value = Math.max(median(errors) ?? 0, median(own) ?? 0);
  const measured = `Gradients differ from finite differences by ${(100 * value).toFixed(1)} % (median of ${errors.length} random directions)`;
  return value <= threshold
    ? { gradients: 'right', finding: examinationFinding('gradients', 'ok', `${measured}.`, { value }) }
    : wrong(
        'gradient-is-wrong',
        value,
        `${measured}: an operator of the model has a wrong gradient on the backend ${tf.getBackend()}. Try another backend, or use black-box attacks.`,
      );
};

const wrong = (code: ExaminationCode, value: number, detail: string): GradientReport => ({
  gradients: 'wrong',
  finding: examinationFinding('gradients', code, detail, { value }),
});

const missing = (reason: string): GradientReport => ({
  gradients: 'missing',
  finding: examinationFinding(
    'gradients',
    'gradient-is-missing',
    `The model has no gradient on the backend ${tf.getBackend()} (${reason}). Try another backend, or use black-box attacks.`,
  ),
});

/** ∂⟨signs, logits⟩/∂x, `[n, width]`, or the reason why TensorFlow.js cannot compute it. */
const gradientAt = async (
  model: FlatModel,
  rows: Float32Array,
  signs: Float32Array,
): Promise<Float32Array | string> => {
  const count = rows.length / model.width;
  try {
    return await takeValues(
      tf.tidy(() => {
        const weights = tf.tensor2d(signs, [count, model.classes]);
        return model.gradient(tf.tensor2d(rows, [count, model.width]), (logits) =>
          tf.sum(logits.mul(weights), 1),
        ).gradient;
      }),
    );
  } catch (error) {
    return reasonOf(error instanceof Error ? error.message : String(error));
  }
};

/** TensorFlow.js names the operator in one of these ways, or in none. */
const reasonOf = (message: string): string => {
  const operator =
    /Kernel '(\w+)' not registered/.exec(message)?.[1] ??
    /gradient function not found for (\w+)/.exec(message)?.[1];
  return operator ? `the operator ${operator} has none` : message.split('\n')[0]!.replace(/\.$/, '');
};

/** The operators of the model that have no gradient on this backend; `reason` if all that it runs have one. */
const blame = async (model: FlatModel, rows: Float32Array, reason: string): Promise<string> => {
  const { kernelNames } = await tf.profile(() => {
    tf.tidy(() => void model.logits(tf.tensor2d(rows.slice(0, model.width), [1, model.width])));
  });
  const operators = operatorsWithoutGradient(kernelNames, tf.getBackend());
  if (operators.length === 0) return reason;
  return operators.length === 1
    ? `the operator ${operators[0]} has none`
    : `the operators ${operators.join(', ')} have none`;
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
  const f = (logits: Float32Array, row: number): number =>
    dot(signs, (row % count) * classes, logits, row * classes, classes);
  const here = await logitsOf(model, points);
  const steps = stepsFor(gradients, here, classes);
  const errors: { random: number[]; own: number[]; changes: boolean } = {
    random: [],
    own: [],
    changes: false,
  };
  for (let direction = 0; direction <= directions; direction++) {
    const { uniform } = random('direction', direction);
    const isOwn = direction === directions;
    const v = isOwn
      ? ownDirections(gradients, width, steps[1])
      : points.map(() => (uniform() < 0.5 ? -1 : 1));
    const logits = await logitsOf(model, moved(points, v, [steps[0], -steps[0], steps[1], -steps[1]]));
    for (let row = 0; row < count; row++) {
      const analytic = dot(gradients, row * width, v, row * width, width);
      const rounding = 3e-6 * norm(here, row * classes, classes);
      const measured = steps.flatMap((step, i) => {
        const right = (f(logits, 2 * i * count + row) - f(here, row)) / step;
        const left = (f(here, row) - f(logits, (2 * i + 1) * count + row)) / step;
        const size = Math.max(Math.abs(left + right) / 2, Math.abs(analytic));
        if (Math.abs(left + right) * step > rounding) errors.changes = true;
        return size * 2 * step > 20 * rounding ? [distanceToInterval(analytic, left, right) / size] : [];
      });
      if (measured.length > 0) errors[isOwn ? 'own' : 'random'].push(Math.min(...measured));
    }
  }
  return errors;
};

/** `smallSteps`, or larger ones for a model whose outputs hardly change: a difference must be well above the rounding of float32. */
const stepsFor = (gradients: Float32Array, logits: Float32Array, classes: number) => {
  const count = logits.length / classes;
  const slope = norm(gradients, 0, gradients.length) / Math.sqrt(count); // of a step of 1 in a random direction
  const rounding = (3e-6 * norm(logits, 0, logits.length)) / Math.sqrt(count);
  const factor = [1, 4, 16].find((times) => slope * 2 * smallSteps[1] * times > 100 * rounding) ?? 16;
  return smallSteps.map((step) => step * factor) as [number, number];
};

const logitsOf = (model: FlatModel, rows: Float32Array): Promise<Float32Array> =>
  outputsOf(model, () => tf.tensor2d(rows, [rows.length / model.width, model.width]));

/** All points moved by each step: `[steps × points, width]`. */
const moved = (points: Float32Array, v: Float32Array, steps: readonly number[]): Float32Array => {
  const result = new Float32Array(points.length * steps.length);
  steps.forEach((step, part) => {
    for (let i = 0; i < points.length; i++) result[part * points.length + i] = points[i]! + step * v[i]!;
  });
  return result;
};

/** 0 inside: at a kink, any value between the two one-sided derivatives is right. */
const distanceToInterval = (value: number, a: number, b: number): number =>
  Math.max(0, Math.min(a, b) - value, value - Math.max(a, b));

/** Each row of the gradients, scaled so that the mean square of its values is 1 and no step leaves the range of pixels. */
const ownDirections = (gradients: Float32Array, width: number, step: number): Float32Array => {
  const scaled = gradients.slice();
  for (let start = 0; start < scaled.length; start += width) {
    const row = scaled.subarray(start, start + width);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const rms = norm(row, 0, width) / Math.sqrt(width);
    const scale = largest === 0 ? 0 : Math.min(1 / rms, edge / (step * largest));
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
