/** The results of the attacks of one command, with one row per image. */
import type { WorstCase } from '@funnel/attacks';
import type {
  AttackSpec,
  DistanceIntervals,
  EvaluationRecords,
  EvaluationSummary,
  RobustAtEpsilon,
} from '@funnel/contracts';

/** One image under one attack. */
export type Row = {
  readonly index: number;
  /** The file of the image, if each image has its own. */
  readonly file?: string;
  readonly label: number;
  readonly predicted: number;
  readonly success: boolean;
  readonly l2: number | null;
  readonly linf: number | null;
  readonly l0: number | null;
  readonly steps: number;
  /** The row of the adversarial in the file that `--adversarials` names. Null without an adversarial. */
  readonly adversarial?: number | null;
};

export type Result = AttackSpec & {
  readonly summary: EvaluationSummary;
  /** Of the distances in `summary`, which has those of the shares. */
  readonly intervals: DistanceIntervals;
  /** Of an attack that looks for the smallest change: at its own ε, else at that of the other attacks in its norm. */
  readonly robustAtEpsilon?: RobustAtEpsilon;
  readonly rows: readonly Row[];
};

export type LeftOut = { readonly attack: string; readonly reason: string };

export type Outcome = {
  readonly results: readonly Result[];
  /** The attacks without a result. */
  readonly leftOut: readonly LeftOut[];
  /** Null where fewer than two attacks have a result. */
  readonly worstCase: (Pick<WorstCase, 'balls'> & Pick<Result, 'summary' | 'intervals' | 'rows'>) | null;
};

export const rowsOf = (
  records: EvaluationRecords,
  fileOf: ((index: number) => string) | undefined,
  adversarials?: readonly (number | null)[],
): readonly Row[] =>
  records.index.map((index, row) => ({
    index,
    ...(fileOf && { file: fileOf(index) }),
    label: records.label[row]!,
    predicted: records.predicted[row]!,
    success: records.success[row]!,
    l2: records.l2[row]!,
    linf: records.linf[row]!,
    l0: records.l0[row]!,
    steps: records.steps[row]!,
    ...(adversarials && { adversarial: adversarials[row]! }),
  }));
