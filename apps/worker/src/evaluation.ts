import type {
  AttackName,
  Diagnostic,
  EvaluationRecords,
  EvaluationSummary,
  Verdict,
} from '@funnel/contracts';

/** What an attack stage hands over: the summary and its diagnostics, every image, and the pictures of the first few. */
export type Evaluation = {
  readonly attack: AttackName;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly summary: EvaluationSummary;
  readonly verdict: Verdict;
  readonly diagnostics: readonly Diagnostic[];
  readonly records: EvaluationRecords;
  readonly gallery: {
    /** [height, width, channels] of one picture. */
    readonly shape: readonly number[];
    readonly index: readonly number[];
    /** Bytes 0–255, picture after picture. */
    readonly original: Uint8Array;
    readonly attacked: Uint8Array;
  };
};
