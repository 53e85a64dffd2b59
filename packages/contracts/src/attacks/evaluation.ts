/**
 * The report of an evaluation. A median distance is "Infinity" when the attack fails on at least half of the attacked images. A number that
 * does not exist is null: a mean over no successes, a rate or a median over no attacked images, the robust accuracy under an attack without a
 * fixed ε, the distance of an image without an adversarial.
 * Shares and rates are in [0, 1]; distances are in units of the pixel range.
 */
import { z } from 'zod';
import { AttackName } from '../attacks.ts';
import { orInfinity } from '../json.ts';
import { wilsonInterval } from '../statistics.ts';

const count = (description: string) => z.int().min(0).meta({ description });
const share = (description: string) => z.number().min(0).max(1).meta({ description });
const interval = (description: string) =>
  z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]).meta({ description });
/** A share or an interval that does not exist for every evaluation. */
const orNull = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullable().meta({ description: schema.description ?? '' });
const distance = (description: string) => z.number().min(0).nullable().meta({ description });
const medianOverAttacked = (what: string) =>
  orInfinity(z.number().min(0))
    .nullable()
    .meta({
      description: `Median ${what} over the attacked images, where a failure counts as infinity: "Infinity" when the attack fails on at least half of them. Null without attacked images.`,
    });

export const EvaluationSummary = z.strictObject({
  images: count('Number of images.'),
  attempted: count('Images that the model classifies correctly when clean. Only these are attacked.'),
  cleanAccuracy: share(
    'attempted / images: over the images of the attack. The clean accuracy of a trial is over all test images.',
  ),
  cleanInterval: interval('95 % Wilson interval of cleanAccuracy.'),
  successes: count('Attacked images for which the attack fooled the model.'),
  successRate: orNull(share('successes / attempted. Null without attacked images.')),
  successInterval: orNull(interval('95 % Wilson interval of successRate.')),
  robustAccuracy: orNull(
    share(
      '(attempted − successes) / images. Null without attacked images, and for an attack without a fixed ε: it fools nearly every image of every model.',
    ),
  ),
  robustInterval: orNull(interval('95 % Wilson interval of robustAccuracy.')),
  noiseLevel: distance('Mean true L2 norm over successes, as in the paper. Null without successes.'),
  noiseLevelAll: distance(
    'Mean true L2 norm over all attacked images, where a failure counts as 0. Null without attacked images.',
  ),
  meanSquaredError: distance(
    'Mean squared error per pixel over successes, on the scale of β. Null without successes.',
  ),
  medianL2Success: distance('Median L2 over successes. Null without successes.'),
  medianL2: medianOverAttacked('minimal L2'),
  medianLinf: medianOverAttacked('minimal L∞'),
  medianL0: medianOverAttacked('number of changed pixels'),
  meanQueries: distance('Mean forward passes per attacked image. Null without attacked images.'),
  meanSteps: distance('Mean iterations per attacked image. Null without attacked images.'),
  invalidAnswers: count(
    'Answers of the model during the attack that name no class, because a logit is NaN, for example. Such an answer never counts as a success. Absent when there are none.',
  ).optional(),
  cappedSearches: count(
    'Attacked images whose search for a constant (`cw-l2`) ended at the largest constant that the attack allows. Absent when there are none.',
  ).optional(),
  rejectedClean: share(
    'Share of all images that the defence rejects when clean; these are not attacked. Absent for a model that rejects nothing.',
  ).optional(),
  rejectedAttacked: share(
    'Share of attacked images whose last candidate the defence rejects; these count as not fooled. Absent for a model that rejects nothing.',
  ).optional(),
});
export type EvaluationSummary = z.infer<typeof EvaluationSummary>;

/**
 * One image under one attack. An image that is misclassified when clean is not attacked: `correct` and `success` are false, distances null.
 */
export const EvaluationRow = z.strictObject({
  index: z.int().min(0).meta({ description: 'Index of the image in its split.' }),
  label: z.int().min(0),
  correct: z
    .boolean()
    .meta({ description: 'The model classifies the clean image correctly and does not reject it.' }),
  predicted: z.int().min(0).meta({
    description:
      'Class of the adversarial, or of the clean image if there is no adversarial. The number of classes if the defence rejects that image.',
  }),
  success: z.boolean(),
  l2: distance('True L2 norm; null = no adversarial found.'),
  linf: distance('Largest change of a value; null = no adversarial found.'),
  l0: z.int().min(0).nullable().meta({
    description: 'Changed pixels (all channels of one pixel count once); null = no adversarial found.',
  }),
  steps: count('Iterations of the attack.'),
  queries: count(
    'Passes of the model that the attack counts; a pass with a gradient counts once. Some attacks leave some passes out, so compare this number within one attack only.',
  ),
});
export type EvaluationRow = z.infer<typeof EvaluationRow>;

type Columns<Row> = { readonly [Key in keyof Row]: Row[Key][] };

/** The rows of an evaluation by column: one array per field of `EvaluationRow`, all of the same length. */
export const EvaluationRecords = z.strictObject({
  index: z.array(EvaluationRow.shape.index),
  label: z.array(EvaluationRow.shape.label),
  correct: z.array(EvaluationRow.shape.correct),
  predicted: z.array(EvaluationRow.shape.predicted),
  success: z.array(EvaluationRow.shape.success),
  l2: z.array(EvaluationRow.shape.l2),
  linf: z.array(EvaluationRow.shape.linf),
  l0: z.array(EvaluationRow.shape.l0),
  steps: z.array(EvaluationRow.shape.steps),
  queries: z.array(EvaluationRow.shape.queries),
});
export type EvaluationRecords = Columns<EvaluationRow>;

export const evaluationRows = (records: EvaluationRecords): EvaluationRow[] =>
  records.index.map((_, i) => {
    const entries = Object.entries(records).map(([key, column]) => [key, column[i]]);
    return Object.fromEntries(entries) as EvaluationRow; // one entry per column, by construction
  });

/** How many images of each class there are, by label, and how many of them are correct. The accuracy of a class is `correct` over `images`. */
export const CleanCounts = z.strictObject({
  images: z.array(count('Images of the class.')),
  correct: z.array(count('Those that the model classifies correctly when clean, and does not reject.')),
});
export type CleanCounts = z.infer<typeof CleanCounts>;

/** Over all classes together. `interval`: of the clean accuracy, 95 %. */
export const totalOf = (counts: CleanCounts) => {
  const sumOf = (each: readonly number[]): number => each.reduce((sum, count) => sum + count, 0);
  const [images, correct] = [sumOf(counts.images), sumOf(counts.correct)];
  return { images, correct, interval: wilsonInterval(correct, images) };
};

/** The same of attacked images. The robust accuracy of a class is `robust` over `images`. */
export const ClassCounts = CleanCounts.extend({
  robust: z.array(count('Those that it classifies correctly when clean, and that the attack did not fool.')),
});
export type ClassCounts = z.infer<typeof ClassCounts>;

/** How many of the images for which `isCounted` holds each class has. `label`: of each image. `classes`: the number of classes. */
const countWhere = (
  label: ArrayLike<number>,
  classes: number,
  isCounted: (row: number) => boolean,
): number[] => {
  const counts = new Array<number>(classes).fill(0);
  for (let row = 0; row < label.length; row++) if (isCounted(row)) counts[label[row]!]!++;
  return counts;
};

/** `label` and `correct` (1 or 0): of each image. `classes`: the number of classes. */
export const countClean = (
  label: ArrayLike<number>,
  correct: ArrayLike<number>,
  classes: number,
): CleanCounts => ({
  images: countWhere(label, classes, () => true),
  correct: countWhere(label, classes, (row) => correct[row] === 1),
});

/** `classes`: the number of classes. */
export const countByClass = (
  { label, correct, success }: Pick<EvaluationRecords, 'label' | 'correct' | 'success'>,
  classes: number,
): ClassCounts => ({
  ...countClean(label, correct.map(Number), classes),
  robust: countWhere(label, classes, (row) => correct[row]! && !success[row]!),
});

/** Robust accuracy over ε in one norm, with 95 % Wilson intervals; null at an ε about which no attack says anything (`robustness-curve.ts`). */
export const RobustnessCurve = z.strictObject({
  norm: z.enum(['l2', 'linf']),
  images: count('Number of images behind every point, including images that are misclassified when clean.'),
  attacks: z.array(AttackName).meta({
    description: 'The attacks that work in this norm: the curve shows the worst case per image over them.',
  }),
  epsilon: z.array(z.number().min(0)),
  accuracy: z.array(z.number().min(0).max(1).nullable()),
  low: z.array(z.number().min(0).max(1).nullable()),
  high: z.array(z.number().min(0).max(1).nullable()),
});
export type RobustnessCurve = z.infer<typeof RobustnessCurve>;
