/** Looks at the outputs of a model: are they logits, do they repeat, and do they depend on the image alone? */
import { classesOf, type ExaminationFinding, examinationFinding } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { oneHot, takeRows, valuesAt } from '../batch-rows.ts';
import { areProbabilities } from '../classifier.ts';
import type { FlatModel } from '../flat-model.ts';
import { crossEntropy } from '../losses.ts';
import { takeValues } from '../ownership.ts';

const rowsNotFinite = (values: Float32Array, classes: number): number => {
  let rows = 0;
  for (let start = 0; start < values.length; start += classes)
    if (!values.subarray(start, start + classes).every(Number.isFinite)) rows++;
  return rows;
};

/** True when every row equals the first one, but for rounding. */
const isConstant = (values: Float32Array, classes: number): boolean => {
  const scale = 1e-6 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return values.every((value, i) => Math.abs(value - values[i % classes]!) <= scale);
};

/**
 * What the outputs are: `values` for the images, `nearby` for the same images moved towards noise, both `[n, classes]`. Attacks need
 * logits: the gradient of a probability vanishes where the model is certain. Sigmoids and tanh are told by the range of all values.
 */
export const describeOutputs = (
  values: Float32Array,
  nearby: Float32Array,
  classes: number,
): ExaminationFinding => {
  const rows = values.length / classes;
  const broken = rowsNotFinite(values, classes);
  if (broken > 0)
    return examinationFinding(
      'outputs',
      'not-finite',
      `The outputs for ${broken} of ${rows} images are not finite numbers: repair the model, or check the range of its pixels (\`bounds\`).`,
      { value: broken },
    );
  if (rows > 1 && isConstant(values, classes))
    return examinationFinding(
      'outputs',
      'constant',
      'All images get the same outputs: check the weights, and the range of the pixels (`bounds`).',
    );
  const lookRobust = 'Their gradients vanish, and the model would look robust. Give `fromProbabilities`';
  const options = { fromProbabilities: true } as const;
  if (areProbabilities(values, classes))
    return examinationFinding(
      'outputs',
      'probabilities',
      `The outputs are probabilities: each row lies in [0, 1] and sums to 1. ${lookRobust}, or the model without its softmax.`,
      { options },
    );
  const [lowest, highest] = rangeOf(values);
  if (lowest >= 0 && highest <= 1 && highest > 0.99)
    return examinationFinding(
      'outputs',
      'sigmoids',
      `The outputs are sigmoids: each one lies in [0, 1]. ${lookRobust}, or the model without its sigmoid.`,
      { options },
    );
  if (lowest >= -1 && highest <= 1 && Math.max(highest, -lowest) > 0.99)
    return examinationFinding(
      'outputs',
      'tanh',
      'The outputs look like tanh: each one lies in [−1, 1]. Gradients vanish at the ends. Give the model without its tanh.',
    );
  const brokenNearby = rowsNotFinite(nearby, classes);
  if (brokenNearby > 0)
    return examinationFinding(
      'outputs',
      'not-finite-nearby',
      `The outputs are not finite numbers for ${brokenNearby} of ${rows} images that were moved 10 % towards noise. Such an answer never counts as a success.`,
      { value: brokenNearby },
    );
  return examinationFinding(
    'outputs',
    'ok',
    `Logits from ${lowest.toPrecision(3)} to ${highest.toPrecision(3)}.`,
  );
};

const rangeOf = (values: Float32Array): readonly [number, number] =>
  values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );

/** The largest difference of two sets of outputs, relative to their largest value. */
const relativeDifference = (a: Float32Array, b: Float32Array): number => {
  const scale = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / scale;
};

/** The logits of rows of pixels as numbers. `rows`: the tensor `[n, width]`; one that it makes is disposed of. */
export const outputsOf = (model: FlatModel, rows: () => tf.Tensor2D): Promise<Float32Array> =>
  takeValues(tf.tidy(() => model.logits(rows())));

/** Sums in another order differ by some 1e-6. */
const rounding = 1e-4;

/** Asks for the same images five times. Dropout or noise at inference makes the answers differ. */
export const checkRepeatability = async (
  model: FlatModel,
  x: tf.Tensor2D,
  first: Float32Array,
): Promise<ExaminationFinding> => {
  let value = 0;
  for (let pass = 0; pass < 4; pass++)
    value = Math.max(value, relativeDifference(first, await outputsOf(model, () => x)));
  return value <= rounding
    ? examinationFinding('repeatability', 'ok', 'Five passes over the same images gave the same outputs.', {
        value,
      })
    : examinationFinding(
        'repeatability',
        'answers-differ',
        `The same images get outputs that differ by ${percent(value)}: the model is random at inference. An attack may take chance for a success; switch dropout and noise off.`,
        { value },
      );
};

/** Compares the outputs of each image in the batch with its outputs alone and in reversed order. */
export const checkIndependence = async (
  model: FlatModel,
  x: tf.Tensor2D,
  first: Float32Array,
): Promise<ExaminationFinding> => {
  const { classes } = model;
  const rows = Math.min(8, x.shape[0]);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const alone = await outputsOf(model, () => takeRows(x, Int32Array.of(row)));
    value = Math.max(value, relativeDifference(first.subarray(row * classes, (row + 1) * classes), alone));
  }
  const order = Int32Array.from({ length: x.shape[0] }, (_, row) => x.shape[0] - 1 - row);
  const back = await outputsOf(model, () => takeRows(x, order));
  for (let row = 0; row < x.shape[0]; row++) {
    const at = (x.shape[0] - 1 - row) * classes;
    const expected = first.subarray(row * classes, (row + 1) * classes);
    value = Math.max(value, relativeDifference(expected, back.subarray(at, at + classes)));
  }
  return value <= rounding
    ? examinationFinding(
        'independence',
        'ok',
        'Alone, in a batch and in reversed order, each image gets the same outputs.',
        { value },
      )
    : examinationFinding(
        'independence',
        'depends-on-batch',
        `The outputs of an image change by ${percent(value)} with the other images of the batch, as with batch normalisation in training mode: export the model for inference.`,
        { value },
      );
};

/** Below this, the sign of a gradient is lost in float32. */
const vanishing = 1e-30;

/**
 * The share of the correctly classified images at which the cross-entropy has no gradient, although the logits have one: the softmax is
 * saturated in float32, as with logits that were multiplied by 20 (Carlini & Wagner 2016 on defensive distillation). `first`: the logits.
 * Pixels of a much wider range than that of training have the same effect.
 */
export const checkSaturation = async (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  first: Float32Array,
  [low, high]: readonly [number, number],
): Promise<ExaminationFinding> => {
  const predicted = classesOf(first, model.classes);
  const rows = Int32Array.from(Array.from(labels.keys()).filter((i) => predicted[i] === labels[i]));
  if (rows.length === 0)
    return examinationFinding(
      'saturation',
      'ok',
      'No image is classified correctly, so no gradient was computed.',
    );
  const values = await takeValues(
    tf.tidy(() => {
      const truth = oneHot(valuesAt(labels, rows), model.classes);
      return tf.max(tf.abs(model.gradient(takeRows(x, rows), crossEntropy(truth)).gradient), 1);
    }),
  );
  const saturated = values.reduce((count, value) => count + (value < vanishing ? 1 : 0), 0);
  const value = saturated / rows.length;
  return value < 0.1
    ? examinationFinding(
        'saturation',
        'ok',
        `The cross-entropy has a gradient at ${rows.length - saturated} of ${rows.length} images.`,
        { value },
      )
    : examinationFinding(
        'saturation',
        'saturated',
        `The cross-entropy has no gradient at ${saturated} of ${rows.length} images: the logits are so large that the softmax is saturated in float32. Trust attacks whose loss does not depend on the scale of logits: apgd-t, deepfool, fmn.${high - low > 2 ? ` Or the model expects smaller pixels than [${low}, ${high}], the \`bounds\` that were given: then its logits are large, too.` : ''}`,
        { value },
      );
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
