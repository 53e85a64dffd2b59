/**
 * A check of an evaluation: its input, and the functions that make its finding. `packages/contracts/src/attacks/diagnostics.ts` names all
 * checks.
 */
import {
  type AttackInput,
  attackKey,
  attackSpec,
  type Budgets,
  type Diagnostic,
  type DiagnosticId,
  diagnostics,
  enoughImages,
  nothingHere,
  type Verdict,
} from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';
import type { Evaluation } from '../evaluate-attack.ts';
import type { FlatModel } from '../flat-model.ts';
import type { Random } from '../random.ts';

/** Returns one or several findings; none when the check needs something that was not given. */
export type Check = (context: CheckContext) => Promise<Diagnostic[]>;

export type CheckContext = {
  readonly model: FlatModel;
  /** `[n, width]` in [0, 1]; the model classifies each image correctly. */
  readonly images: tf.Tensor2D;
  /** The same images as numbers, row by row. */
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly budgets: Budgets;
  /** Runs an attack on these images. Several checks may ask for the same attack; it runs once. */
  readonly evaluate: (attack: AttackInput) => Promise<Evaluation>;
  /** Runs the attack on the same images and an undefended model. */
  readonly control?: (attack: AttackInput) => Promise<Evaluation>;
  readonly hasSurrogates: boolean;
  readonly random: (...path: readonly (string | number)[]) => Random;
};

/** Makes a function that runs every attack once. */
export const memoise = (
  run: (attack: AttackInput) => Promise<Evaluation>,
): ((attack: AttackInput) => Promise<Evaluation>) => {
  const evaluations = new Map<string, Promise<Evaluation>>();
  return (attack) => {
    const key = attackKey(attackSpec(attack));
    const evaluation = evaluations.get(key) ?? run(attack);
    evaluations.set(key, evaluation);
    return evaluation;
  };
};

type Finding = {
  /** How many images the value is about. */
  readonly images: number;
  readonly value: number;
  readonly threshold: number;
  /** The value is beyond the threshold. */
  readonly flagged: boolean;
  /** The value is so far beyond the threshold that chance does not explain it. Default: `flagged`. */
  readonly certain?: boolean;
  /** One sentence for the report. */
  readonly detail: string;
};

/**
 * A flagged check is `masked` when its entry in the table says `masks` and the finding is certain, else `suspect`. A finding that is not
 * certain and rests on fewer than `enoughImages` images says so and stays `ok`.
 */
export const diagnostic = (
  id: DiagnosticId,
  { images, value, threshold, flagged, certain = flagged, detail }: Finding,
): Diagnostic => {
  const flag: Verdict = !flagged ? 'ok' : diagnostics[id].masks && certain ? 'masked' : 'suspect';
  return flag === 'suspect' && images < enoughImages
    ? { id, value, threshold, verdict: 'ok', detail: `Too few images for a verdict (${images}). ${detail}` }
    : { id, value, threshold, verdict: flag, detail };
};

/** A check that cannot run on this model. */
export const notRun = (id: DiagnosticId, threshold: number, detail: string): Diagnostic => ({
  id,
  value: null,
  threshold,
  verdict: 'ok',
  detail,
});

/** Returns true for at least three images and at least 5 % of all images: one image of 50 may be chance. */
export const isCertain = (images: number, share: number): boolean => images * share >= 3 && share >= 0.05;

/** The indices of the images that an attack fooled. */
export const hits = ({ records }: Evaluation): Set<number> =>
  new Set(records.success.flatMap((success, i) => (success ? [i] : [])));

/** The share of the attacked images that an attack fooled; 0 if none was attacked. */
export const shareFooled = ({ summary }: Evaluation): number => summary.successRate ?? 0;

/** The share of the images that an attack did not fool. */
export const accuracyUnder = (evaluation: Evaluation): number => 1 - shareFooled(evaluation);

export const pgdAt = (
  epsilon: number,
  changes: Partial<Extract<AttackInput, { attack: 'pgd-linf' }>> = {},
): AttackInput => ({
  attack: 'pgd-linf',
  epsilon,
  ...changes,
});

/** The attacks of `whiteBoxHits` in words. A stronger attack of the user may fool images that these do not. */
export const whiteBoxText = 'the PGD and the FMN of these checks';

/** The images that a gradient attack fools within the L∞ budget: PGD on the cross-entropy, PGD on the margin, or FMN. */
export const whiteBoxHits = async ({ evaluate, budgets }: CheckContext): Promise<Set<number>> => {
  const crossEntropy = await evaluate(pgdAt(budgets.linf));
  const margin = await evaluate(pgdAt(budgets.linf, { loss: 'margin' }));
  const minimal = await evaluate('fmn-linf');
  const within = [...hits(minimal)].filter((i) => minimal.records.linf[i]! <= budgets.linf);
  return new Set([...hits(crossEntropy), ...hits(margin), ...within]);
};

/** The detail of a check that cannot find anything where `who` (`PGD fools`) fools all images: then it says so. */
export const detailUnlessAllFall = (
  { budgets, labels }: Pick<CheckContext, 'budgets' | 'labels'>,
  {
    fooled,
    who = 'PGD fools',
    detail,
  }: { readonly fooled: number; readonly who?: string; readonly detail: string },
): string => {
  if (fooled < labels.length) return detail;
  const all = labels.length === 1 ? 'the only image' : `all ${labels.length} images`;
  return `${who} ${all} at L∞ ${budgets.linf}${nothingHere}`;
};

/** As `detailUnlessAllFall`, for a check that counts the images which no gradient attack fools. */
export const detailUnlessWhiteBoxFoolsAll = async (
  context: CheckContext,
  detail: string,
): Promise<string> => {
  const alone = hits(await context.evaluate(pgdAt(context.budgets.linf))).size;
  const fooled = (await whiteBoxHits(context)).size;
  const who = alone === fooled ? undefined : 'Gradient attacks fool';
  return detailUnlessAllFall(context, { fooled, ...(who && { who }), detail });
};

/** `12.5 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
