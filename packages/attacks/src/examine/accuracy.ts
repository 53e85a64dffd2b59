/** Does the model classify these images? If it does not, the examination looks for the usual reasons: pixel range, colours, axes, labels. */
import {
  classesOf,
  type ExaminationCode,
  type ExaminationFinding,
  examinationFinding,
  mcNemar,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { FlatModel } from '../flat-model.ts';
import { outputsOf } from './outputs.ts';

type Images = {
  readonly model: FlatModel;
  /** The range of pixels that the model was said to expect. */
  readonly bounds: readonly [number, number];
  /** `[n, width]` in [0, 1]. */
  readonly values: Float32Array;
  readonly labels: Int32Array;
  /** The outputs for these images, `[n, classes]`. */
  readonly outputs: Float32Array;
};

/** A change of the images that a user may have forgotten, and the question to ask if it helps. */
type Explanation = {
  readonly code: ExaminationCode;
  readonly question: string;
  readonly bounds?: [number, number];
  readonly change: (images: Images) => Float32Array;
};

/** The model scales rows from [0, 1] to its bounds; this takes it to other bounds instead. */
const rescaled =
  (low: number, high: number) =>
  ({ values, bounds: [from, to] }: Images): Float32Array =>
    values.map((value) => (low + value * (high - low) - from) / (to - from));

const transposed = ({ model: { shape, width }, values }: Images): Float32Array => {
  const [height = 1, columns = 1, channels = 1] = shape;
  if (height !== columns || shape.length > 3) return values;
  return values.map((_, i) => {
    const [image, at] = [Math.floor(i / width), i % width];
    const [row, column, channel] = [
      Math.floor(at / (columns * channels)),
      Math.floor(at / channels) % columns,
      at % channels,
    ];
    return values[image * width + (column * columns + row) * channels + channel]!;
  });
};

/** `values`: from 0 to 1, for example. */
const otherBounds = (low: number, high: number, values: string): Explanation => ({
  code: 'other-pixel-range',
  question: `does the model expect values ${values}? (\`bounds: [${low}, ${high}]\`)`,
  bounds: [low, high],
  change: rescaled(low, high),
});

/** Ranges with accuracies this close are all named: a wrong range often costs no accuracy, but it changes every distance. */
const indistinct = 0.05;

/** In this order: a later change must be better by 2 % of the images. */
const explanations: readonly Explanation[] = [
  otherBounds(0, 1, 'from 0 to 1'),
  otherBounds(-0.5, 0.5, 'from −0.5 to 0.5'),
  otherBounds(-1, 1, 'from −1 to 1'),
  otherBounds(-0.4242, 2.8215, 'with the mean and deviation of MNIST'),
  otherBounds(-0.8102, 2.0227, 'with the mean and deviation of Fashion-MNIST'),
  otherBounds(0, 255, 'from 0 to 255'),
  {
    code: 'inverted-images',
    question: 'does the model expect dark on light? Invert the images',
    change: ({ values }) => values.map((value) => 1 - value),
  },
  {
    code: 'transposed-images',
    question: 'does the model expect rows and columns exchanged? Transpose the images',
    change: transposed,
  },
];

type Hits = readonly boolean[];

const hitsOf = (predicted: Int32Array, labels: Int32Array): Hits =>
  Array.from(labels, (label, i) => predicted[i] === label);

const countOf = (hits: Hits): number => hits.filter(Boolean).length;
const accuracyOf = (hits: Hits): number => countOf(hits) / hits.length;

/** Which changed images are right; none if the model fails on them, as one that checks the range of its pixels may. */
const hitsAfter = async (images: Images, change: Explanation['change']): Promise<Hits> => {
  const { model, labels } = images;
  const values = change(images);
  try {
    const outputs = await outputsOf(model, () =>
      tf.tensor2d(values, [values.length / model.width, model.width]),
    );
    return hitsOf(classesOf(outputs, model.classes), labels);
  } catch {
    return Array.from(labels, () => false);
  }
};

/** The accuracy after each predicted class is read as the label that it mostly stands for. */
const accuracyWithOtherLabels = (predicted: Int32Array, labels: Int32Array, classes: number): number => {
  const counts = Array.from({ length: classes }, () => new Int32Array(classes));
  predicted.forEach((k, i) => {
    if (k < classes) counts[k]![labels[i]!]!++;
  });
  const used = new Set<number>();
  const right = counts.map((row) => {
    const label = row.indexOf(Math.max(...row));
    if (row[label] === 0 || used.has(label)) return 0;
    used.add(label);
    return row[label]!;
  });
  return right.reduce((sum, value) => sum + value, 0) / labels.length;
};

const share = (value: number): string => `${Math.round(100 * value)} %`;

type Measured = { readonly hits: Hits; readonly explanation: Explanation };

/** One forward pass for each of these changes. */
const measure = async (images: Images, among: readonly Explanation[]): Promise<readonly Measured[]> => {
  const measured: Measured[] = [];
  for (const explanation of among)
    measured.push({ hits: await hitsAfter(images, explanation.change), explanation });
  return measured;
};

/** The change with the highest accuracy; null if no image is right after any of them. */
const bestOf = (measured: readonly Measured[]): Measured | null =>
  measured.reduce<Measured | null>(
    (best, each) => (accuracyOf(each.hits) > (best ? accuracyOf(best.hits) + 0.02 : 0.02) ? each : best),
    null,
  );

/** What the accuracy after the best change says, and the range of pixels if only one fits. */
const suggestion = (
  best: Measured,
  measured: readonly Measured[],
): { readonly words: string; readonly bounds?: [number, number] } => {
  const { question, bounds } = best.explanation;
  const fitting = measured.flatMap(({ hits, explanation }) =>
    explanation.bounds && accuracyOf(hits) >= accuracyOf(best.hits) - indistinct
      ? [{ bounds: explanation.bounds, accuracy: accuracyOf(hits) }]
      : [],
  );
  if (!bounds || fitting.length < 2)
    return {
      words: `, and ${share(accuracyOf(best.hits))} otherwise: ${question}.`,
      ...(bounds && { bounds }),
    };
  const list = fitting.map((range) => `[${range.bounds.join(', ')}] (${share(range.accuracy)})`).join(', ');
  return {
    words: `. The model probably expects another range of pixels, and several fit about as well: \`bounds\` ${list}. Accuracy does not tell which one is right, and a wrong one makes the model look robust. Give the range with which it was trained.`,
  };
};

/** A chance below this for a difference on the same images makes it clear. Six ranges are tried. */
const clear = 0.01;

/** Whether other images are right so often that chance does not explain it. */
const isClearlyBetter = (hits: Hits, before: Hits): boolean => {
  const onlyBefore = before.filter((hit, i) => hit && !hits[i]).length;
  const onlyAfter = hits.filter((hit, i) => hit && !before[i]).length;
  return onlyAfter > onlyBefore && mcNemar(onlyBefore, onlyAfter) < clear;
};

/**
 * The clean accuracy. Below 50 % the check tries other ranges of pixels, inverted, transposed images and other orders of the labels, and asks the
 * question whose change raises the accuracy most. If several ranges do, it names them all and proposes none. At 0 % there is nothing to attack.
 * From 50 % on it tries the ranges alone, because a network often recognises most images in a wrong range, too.
 */
export const checkAccuracy = async (images: Images): Promise<ExaminationFinding> => {
  const { model, labels, outputs } = images;
  const predicted = classesOf(outputs, model.classes);
  const before = hitsOf(predicted, labels);
  const accuracy = accuracyOf(before);
  const seen = `${share(accuracy)} of the ${labels.length} images are classified correctly`;
  const result = (code: ExaminationCode, detail: string, bounds?: [number, number]): ExaminationFinding =>
    examinationFinding('accuracy', code, detail, { value: accuracy, ...(bounds && { options: { bounds } }) });
  const isUsable = accuracy >= 0.5;
  if (accuracy === 1) return result('ok', `${seen}.`);

  const measured = await measure(
    images,
    isUsable ? explanations.filter(({ bounds }) => bounds !== undefined) : explanations,
  );
  const best = bestOf(measured);
  const enough = Math.max(accuracy + 0.3, 0.5);
  const isBetter = best && (isUsable ? isClearlyBetter(best.hits, before) : accuracyOf(best.hits) >= enough);
  if (isBetter) {
    const { words, bounds } = suggestion(best, measured);
    return result(isUsable ? 'perhaps-other-pixel-range' : best.explanation.code, `${seen}${words}`, bounds);
  }
  if (isUsable) return result('ok', `${seen}.`);
  if (
    labels.length >= 2 * model.classes &&
    accuracyWithOtherLabels(predicted, labels, model.classes) >= enough
  )
    return result(
      'other-class-order',
      `${seen}, but the predicted classes are the labels in another order: check the order of the classes.`,
    );
  if (accuracy === 0)
    return result('none-correct', `${seen}: there is nothing to attack. Check model, data set and labels.`);
  return result(
    'few-correct',
    `${seen}: rates over so few images say little. Check the data set, and the range of pixels (\`bounds\`).`,
  );
};
