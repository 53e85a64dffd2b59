/** What every check works with: some correctly classified images, the model, budgets, and attacks run once however many ask. */
import {
  type AttackInput,
  attackKey,
  attackSpec,
  type Budgets,
  type Diagnostic,
  type DiagnosticId,
  diagnostics,
  type Verdict,
} from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';
import type { Evaluation } from '../evaluate-attack.ts';
import type { FlatModel } from '../flat-model.ts';
import type { Random } from '../random.ts';

export type CheckContext = {
  readonly model: FlatModel;
  /** `[n, width]` in [0, 1], classified correctly. */
  readonly images: tf.Tensor2D;
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly budgets: Budgets;
  /** The attack on these images; asked twice, it runs once. */
  readonly evaluate: (attack: AttackInput) => Promise<Evaluation>;
  /** The same attack on the same images, on a model that nobody defended. */
  readonly control?: (attack: AttackInput) => Promise<Evaluation>;
  readonly hasSurrogates: boolean;
  readonly random: (...path: readonly (string | number)[]) => Random;
};

/** One or several numbers of the table; none where its conditions are not met. */
export type Check = (context: CheckContext) => Promise<Diagnostic[]>;

/** Runs each attack once. */
export const memoise = (
  run: (attack: AttackInput) => Promise<Evaluation>,
): ((attack: AttackInput) => Promise<Evaluation>) => {
  const known = new Map<string, Promise<Evaluation>>();
  return (attack) => {
    const key = attackKey(attackSpec(attack));
    const evaluation = known.get(key) ?? run(attack);
    known.set(key, evaluation);
    return evaluation;
  };
};

/** Images on which an evaluation succeeded, as positions. */
export const hits = ({ records }: Evaluation): Set<number> =>
  new Set(records.success.flatMap((success, i) => (success ? [i] : [])));

/** Share of images that withstood the attack. */
export const withstood = (evaluation: Evaluation): number => 1 - evaluation.summary.successRate;

type Finding = {
  readonly value: number;
  readonly threshold: number;
  /** Beyond the threshold. */
  readonly flagged: boolean;
  /** Far enough beyond it that chance does not explain it. Default: flagged. */
  readonly certain?: boolean;
  readonly detail: string;
};

/** A flagged check is `masked` where the table says that it unmasks and the finding is certain, else `suspect`. */
export const diagnostic = (
  id: DiagnosticId,
  { value, threshold, flagged, certain = flagged, detail }: Finding,
): Diagnostic => {
  const verdict: Verdict = !flagged ? 'ok' : diagnostics[id].masks && certain ? 'masked' : 'suspect';
  return { id, value, threshold, verdict, detail };
};

/** So many images, and such a share of them, are more than chance: one image of 50 is not. */
export const isCertain = (images: number, share: number): boolean => images * share >= 3 && share >= 0.05;

// The white-box attacks that others are compared with, at the L∞ budget.

export const pgdAt = (
  epsilon: number,
  changes: Partial<Extract<AttackInput, { attack: 'pgd-linf' }>> = {},
): AttackInput => ({
  attack: 'pgd-linf',
  epsilon,
  ...changes,
});

/** Images that PGD on the cross-entropy, PGD on the margin, or FMN fool within the L∞ budget. */
export const whiteBoxHits = async ({ evaluate, budgets }: CheckContext): Promise<Set<number>> => {
  const crossEntropy = await evaluate(pgdAt(budgets.linf));
  const margin = await evaluate(pgdAt(budgets.linf, { loss: 'margin' }));
  const minimal = await evaluate('fmn-linf');
  const near = [...hits(minimal)].filter((i) => minimal.records.linf[i]! <= budgets.linf);
  return new Set([...hits(crossEntropy), ...hits(margin), ...near]);
};
