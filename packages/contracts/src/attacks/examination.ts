/** The examination of a classifier before attacks: what was looked at, what was found, and whether attacks on it can be believed. */
import { z } from 'zod';

/**
 * `marked`: attacks run, and their results carry the finding. `refused`: attacks would measure something else than the model's robustness,
 * so they do not run unless the user insists.
 */
export const ExaminationStatus = z.enum(['ok', 'marked', 'refused']);
export type ExaminationStatus = z.infer<typeof ExaminationStatus>;

const severity = { ok: 0, marked: 1, refused: 2 } as const satisfies Record<ExaminationStatus, number>;

/** What an examination looks at, in its order, and what holds where it finds nothing. */
export const examinationTitles = {
  outputs: 'Outputs are finite logits',
  repeatability: 'The same images give the same outputs',
  independence: 'An image’s outputs do not depend on the other images of the batch',
  accuracy: 'The model classifies the images',
  gradients: 'Gradients match finite differences',
  saturation: 'The loss has a gradient',
} as const;

export type ExaminationName = keyof typeof examinationTitles;
export const examinationNames = Object.keys(examinationTitles) as ExaminationName[];

/** What a finding is about, for programs, and its status. People read `detail`. */
export const examinationCodes = {
  ok: 'ok',
  'model-fails': 'refused',
  'not-finite': 'refused',
  constant: 'refused',
  probabilities: 'refused',
  sigmoids: 'refused',
  tanh: 'marked',
  'not-finite-nearby': 'marked',
  'answers-differ': 'marked',
  'depends-on-batch': 'marked',
  'other-pixel-range': 'refused',
  'perhaps-other-pixel-range': 'marked',
  'inverted-images': 'refused',
  'transposed-images': 'refused',
  'other-class-order': 'refused',
  'none-correct': 'refused',
  'few-correct': 'marked',
  'gradient-not-a-number': 'marked',
  'gradient-is-zero': 'marked',
  'gradient-is-wrong': 'marked',
  'gradient-is-missing': 'marked',
  'gradient-not-compared': 'marked',
  saturated: 'marked',
} as const satisfies Record<string, ExaminationStatus>;

export type ExaminationCode = keyof typeof examinationCodes;

/** Options of `loadClassifier` and `classifierModel`. */
const MendingOptions = z.strictObject({
  bounds: z.tuple([z.number(), z.number()]).optional(),
  fromProbabilities: z.literal(true).optional(),
});

export const ExaminationFinding = z.strictObject({
  name: z.enum(examinationNames as [ExaminationName, ...ExaminationName[]]),
  status: ExaminationStatus,
  code: z
    .enum(Object.keys(examinationCodes) as [ExaminationCode, ...ExaminationCode[]])
    .meta({ description: 'What was found. Each code has one status.' }),
  detail: z.string().meta({ description: 'One sentence: what was found, and the way out.' }),
  value: z.number().nullable().meta({ description: 'The measured number, if there is one.' }),
  options: MendingOptions.optional().meta({
    description: 'Options of `loadClassifier` that probably mend it. Absent if there are none.',
  }),
});
export type ExaminationFinding = z.infer<typeof ExaminationFinding>;

/** The finding of this code, with the code's status. `value`: the measured number. `options`: what mends it. */
export const examinationFinding = (
  name: ExaminationName,
  code: ExaminationCode,
  detail: string,
  { value = null, options }: Partial<Pick<ExaminationFinding, 'value' | 'options'>> = {},
): ExaminationFinding => ({
  name,
  status: examinationCodes[code],
  code,
  detail,
  value,
  ...(options && { options }),
});

export const Examination = z.strictObject({
  status: ExaminationStatus.meta({ description: 'The most severe status of the findings.' }),
  backend: z
    .string()
    .meta({ description: 'The TensorFlow.js backend: gradients may differ between backends.' }),
  images: z.int().min(0).meta({ description: 'The number of images that were looked at.' }),
  gradients: z.enum(['right', 'unknown', 'wrong', 'missing']).meta({
    description:
      'White-box attacks need gradients that are right, or that nothing speaks against (unknown); black-box attacks need none.',
  }),
  findings: z.array(ExaminationFinding),
});
export type Examination = z.infer<typeof Examination>;

/** Gradients that could not be compared may be right, so attacks that need them run. */
export const hasGradients = ({ gradients }: Pick<Examination, 'gradients'>): boolean =>
  gradients === 'right' || gradients === 'unknown';

/** `ok` for no statuses. */
export const worstStatus = (statuses: readonly ExaminationStatus[]): ExaminationStatus =>
  statuses.reduce<ExaminationStatus>(
    (worst, status) => (severity[status] > severity[worst] ? status : worst),
    'ok',
  );
