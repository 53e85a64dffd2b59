/** The findings about a model in words. */
import { type Examination, type ExaminationFinding, examinationTitles } from '@funnel/contracts';
import { wrapToWidth } from '../output/width.ts';

const symbols = { ok: '✓', marked: '!', refused: '✗' } as const satisfies Record<
  Examination['status'],
  string
>;

export const describeFinding = ({ name, status, detail }: ExaminationFinding): string =>
  `${symbols[status]} ${name}: ${detail || examinationTitles[name]}`;

const verdicts = {
  ok: 'Attacks measure the robustness of this model.',
  marked: 'Attacks run, and their results mention these findings.',
  refused: 'Attacks would not measure the robustness of this model. --force runs them nevertheless.',
} as const satisfies Record<Examination['status'], string>;

/** `width`: the columns of the terminal. */
export const describeExamination = (
  { status, findings, images, backend }: Examination,
  width: number | null,
): string =>
  [...findings.map(describeFinding), '', `${verdicts[status]} (${images} images, ${backend})`]
    .map((line) => wrapToWidth(line, width))
    .join('\n');
