/** The findings about a model in words. */
import { type Examination, type ExaminationFinding, examinationTitles } from '@funnel/contracts';
import { inFlags } from '../flags.ts';
import { wrapToWidth } from '../output/width.ts';

const symbols = { ok: '✓', marked: '!', refused: '✗' } as const satisfies Record<
  Examination['status'],
  string
>;

/** Findings that a wrong range of pixels explains, without one range that mends them. */
const rangeCodes: ReadonlySet<ExaminationFinding['code']> = new Set([
  ...(['not-finite', 'constant', 'few-correct'] as const),
  ...(['other-pixel-range', 'perhaps-other-pixel-range'] as const),
]);

/** The options of this command line that mend it; null without one. */
const flagsFor = ({ code, options = {} }: ExaminationFinding): string | null => {
  if (options.bounds) return `--bounds ${options.bounds.join(',')}`;
  if (options.fromProbabilities) return '--from-probabilities';
  if (rangeCodes.has(code)) return '--bounds LOW,HIGH';
  if (code === 'gradient-is-wrong' || code === 'gradient-is-missing') return '--backend NAME';
  return null;
};

export const describeFinding = (finding: ExaminationFinding): string => {
  const { name, status, detail } = finding;
  const flags = flagsFor(finding);
  return `${symbols[status]} ${name}: ${inFlags(detail) || examinationTitles[name]}${flags === null ? '' : ` → ${flags}`}`;
};

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
