/**
 * What an evaluation reports. A median distance is "Infinity" where at least half of the attacked images withstand. A number that does not
 * exist is null: a mean over no successes, a median over no attacked images, an image's distance where nothing was found. Shares and rates
 * are in [0, 1]; distances are in units of the pixel range.
 */
import { z } from 'zod';
import { AttackName } from '../attacks.ts';
import { orInfinity } from '../extended-number.ts';

const count = (description: string) => z.int().min(0).meta({ description });
const share = (description: string) => z.number().min(0).max(1).meta({ description });
const interval = (description: string) =>
  z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]).meta({ description });
const distance = (description: string) => z.number().min(0).nullable().meta({ description });
const medianOverAttacked = (what: string) =>
  orInfinity(z.number().min(0))
    .nullable()
    .meta({
      description: `Median ${what} over the attacked, failures as infinity: "Infinity" when at least half of them withstand. Null without attempts.`,
    });

export const EvaluationSummary = z.strictObject({
  images: count('Images given.'),
  attempted: count('Images classified correctly when clean: those attacked.'),
  cleanAccuracy: share('attempted / images.'),
  cleanInterval: interval('95 % Wilson interval of cleanAccuracy.'),
  successes: count('Attacked images that the attack fooled.'),
  successRate: share('successes / attempted; 0 when nothing was attempted.'),
  successInterval: interval('95 % Wilson interval of successRate.'),
  robustAccuracy: share('(attempted − successes) / images.'),
  robustInterval: interval('95 % Wilson interval of robustAccuracy.'),
  noiseLevel: distance("Mean true L2 norm over successes: the paper's reading. Null without successes."),
  noiseLevelAll: distance(
    'Mean true L2 norm over all attacked, failures as 0: the other reading. Null without attempts.',
  ),
  meanSquaredError: distance(
    'Mean squared error per pixel over successes, the scale of β. Null without successes.',
  ),
  medianL2Success: distance('Median L2 over successes. Null without successes.'),
  medianL2: medianOverAttacked('minimal L2'),
  medianLinf: medianOverAttacked('minimal L∞'),
  medianL0: medianOverAttacked('number of changed pixels'),
  meanQueries: distance('Mean forward passes per attacked image. Null without attempts.'),
  meanSteps: distance('Mean iterations per attacked image. Null without attempts.'),
  rejectedClean: share(
    'Share of all images that the defence rejects when clean: they are not attacked. Absent where it rejects nothing.',
  ).optional(),
  rejectedAttacked: share(
    'Share of attacked images whose last candidate the defence rejects, which counts as defended. Absent likewise.',
  ).optional(),
});
export type EvaluationSummary = z.infer<typeof EvaluationSummary>;

/** One image under one attack. An image misclassified clean is not attacked: `correct` and `success` are false, distances null. */
export const EvaluationRow = z.strictObject({
  index: z.int().min(0).meta({ description: 'Index of the image in its split.' }),
  label: z.int().min(0),
  correct: z.boolean().meta({ description: 'Classified correctly, and not rejected, when clean.' }),
  predicted: z.int().min(0).meta({
    description:
      'Class of the adversarial; of the clean image where there is none; the number of classes where the defence rejects that.',
  }),
  success: z.boolean(),
  l2: distance('True L2 norm; null = none found.'),
  linf: distance('Largest change of a value; null = none found.'),
  l0: z
    .int()
    .min(0)
    .nullable()
    .meta({ description: 'Changed pixels (all channels of one pixel count once); null = none found.' }),
  steps: count('Iterations spent.'),
  queries: count('Forward passes spent; a gradient counts as one.'),
});
export type EvaluationRow = z.infer<typeof EvaluationRow>;

type Columns<Row> = { readonly [Key in keyof Row]: Row[Key][] };

/** The rows of an evaluation, column by column: one array per field of `EvaluationRow`, all of the same length. */
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

/** Robust accuracy over ε in one norm, with 95 % Wilson intervals. */
export const RobustnessCurve = z.strictObject({
  norm: z.enum(['l2', 'linf']),
  images: count('Images behind every point, those misclassified clean included.'),
  attacks: z
    .array(AttackName)
    .meta({ description: 'The attacks over whose per-image worst case the curve is taken.' }),
  epsilon: z.array(z.number().min(0)),
  accuracy: z.array(z.number().min(0).max(1)),
  low: z.array(z.number().min(0).max(1)),
  high: z.array(z.number().min(0).max(1)),
});
export type RobustnessCurve = z.infer<typeof RobustnessCurve>;
