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

export const ExaminationFinding = z.strictObject({
  name: z.enum(examinationNames as [ExaminationName, ...ExaminationName[]]),
  status: ExaminationStatus,
  detail: z.string().meta({ description: 'One sentence: what was found, and the way out.' }),
  value: z.number().nullable().meta({ description: 'The measured number, if there is one.' }),
});
export type ExaminationFinding = z.infer<typeof ExaminationFinding>;

export const Examination = z.strictObject({
  status: ExaminationStatus.meta({ description: 'The most severe status of the findings.' }),
  backend: z
    .string()
    .meta({ description: 'The TensorFlow.js backend: gradients may differ between backends.' }),
  images: z.int().min(0).meta({ description: 'The number of images that were looked at.' }),
  gradients: z
    .enum(['right', 'wrong', 'missing'])
    .meta({ description: 'White-box attacks need right gradients; black-box attacks need none.' }),
  findings: z.array(ExaminationFinding),
});
export type Examination = z.infer<typeof Examination>;

/** `ok` for no statuses. */
export const worstStatus = (statuses: readonly ExaminationStatus[]): ExaminationStatus =>
  statuses.reduce<ExaminationStatus>(
    (worst, status) => (severity[status] > severity[worst] ? status : worst),
    'ok',
  );
