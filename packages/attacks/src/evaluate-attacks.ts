/**
 * Several attacks on one model: each result as it comes, then the worst case over all of them within their budgets. Each attack gets only
 * the images that still stand, as in the original AutoAttack.
 */
import {
  type AttackSpec,
  type DatasetName,
  datasetNames,
  type EvaluationSummary,
  isBounded,
  reachOf,
  type ThreatModel,
  threatModelOf,
  worstCaseHas,
} from '@funnel/contracts';
import { indicesWhere } from './batch-rows.ts';
import {
  collectAttack,
  type EvaluateAttackOptions,
  type Evaluation,
  openSubject,
  type Subject,
  sharedOptionChecks,
  toBounds,
} from './evaluate-attack.ts';
import { checkOptions, flag, type OptionChecks, oneOf, ownCheck, settingsHint } from './options.ts';
import { expandAttacks } from './read-attacks.ts';
import { summarise, worstCase } from './statistics.ts';

export type EvaluateAttacksOptions = Omit<EvaluateAttackOptions, 'attack' | 'onProgress'> & {
  /** Attacks and presets: `['preset:autoattack']`, or `['fgsm', { attack: 'pgd-linf', epsilon: 0.1 }]`. */
  readonly attacks: Parameters<typeof expandAttacks>[0];
  /** Presets take the usual budgets of this data set where the list gives them no ε. Default: those of MNIST. */
  readonly dataset?: DatasetName;
  /**
   * True (default): an attack gets only the images that no earlier attack fooled within the budgets. The worst case is the same, and costs
   * less. False: every attack gets every image. Without an attack at a fixed ε there are no budgets, and every attack gets every image.
   */
  readonly standing?: boolean;
  /** Called after every batch with the number of images that this attack has got. */
  readonly onProgress?: (progress: {
    readonly attack: AttackSpec;
    readonly done: number;
    readonly total: number;
  }) => void;
};

const optionChecks: OptionChecks<EvaluateAttacksOptions> = {
  ...sharedOptionChecks,
  attacks: ownCheck,
  dataset: oneOf(datasetNames),
  standing: flag,
  force: flag,
};

type LeftOut = {
  readonly attack: AttackSpec;
  /** What the attack threw, or the signal's reason after an abort. */
  readonly error: unknown;
};

/** Without budgets (no attack has a fixed ε) every adversarial counts, and there is no robust accuracy. */
export type WorstCase = {
  readonly kind: 'worst-case';
  /** The largest ε of the attacks at a fixed ε in each norm. An image counts as fooled if an adversarial lies in one of these balls. */
  readonly balls: ThreatModel;
  /** The attacks that the numbers are about. */
  readonly attacks: readonly AttackSpec[];
  /** The attacks without a result. With them the robust accuracy could only be lower. */
  readonly leftOut: readonly LeftOut[];
  /**
   * Over all images; null if no attack has a result. `records` has the smallest distances that any attack found, also outside the balls, and
   * the sums of steps and queries. `adversarials` has the first adversarial inside the balls, or else the clean image.
   */
  readonly evaluation: Omit<Evaluation, 'attack'> | null;
};

export type AttackOutcome =
  /** `standing`: how many images no attack has fooled within the budgets so far. */
  | (Evaluation & { readonly kind: 'evaluation'; readonly standing: number })
  | (LeftOut & { readonly kind: 'failure' })
  | WorstCase;

/** Collects the worst case, one evaluation at a time. */
const createWorstCase = (subject: Subject, specs: readonly AttackSpec[]) => {
  const { classifier, cleanClasses, images, labels, model } = subject;
  const balls = threatModelOf(specs);
  const isUnlimited = balls.l2 === undefined && balls.linf === undefined;
  const standing = Array.from(labels, (label, image) => cleanClasses[image] === label);
  const predicted = Array.from(cleanClasses);
  const adversarials = toBounds(images.read(indicesWhere(images.count, () => true)), classifier);
  const evaluations: Evaluation[] = [];

  const add = (evaluation: Evaluation): void => {
    const { attack, records } = evaluation;
    const countsFully = isUnlimited || isBounded(attack);
    standing.forEach((stands, image) => {
      if (!stands || !records.success[image]) return;
      if (!countsFully && !isWithin(balls, records.l2[image]!, records.linf[image]!)) return;
      standing[image] = false;
      predicted[image] = records.predicted[image]!;
      const [from, to] = [image * model.width, (image + 1) * model.width];
      adversarials.set(evaluation.adversarials.subarray(from, to), from);
    });
    evaluations.push(evaluation);
  };

  const evaluation = (): WorstCase['evaluation'] => {
    if (evaluations.length === 0) return null;
    const worst = worstCase(evaluations);
    const success = standing.map((stands, image) => worst.correct[image]! && !stands);
    const records = { ...worst, success, predicted };
    const summary = summarise(records, { width: model.width, hasBudget: !isUnlimited });
    const attacks = evaluations.map(({ attack }) => attack);
    return { summary: withSearchedMedians(summary, attacks), records, adversarials };
  };
  const report = (leftOut: readonly LeftOut[]): WorstCase => ({
    kind: 'worst-case',
    balls,
    attacks: evaluations.map(({ attack }) => attack),
    leftOut,
    evaluation: evaluation(),
  });
  return { isUnlimited, standing, add, report };
};

/** Without the medians in norms in which none of the attacks works. */
const withSearchedMedians = (
  summary: EvaluationSummary,
  attacks: readonly AttackSpec[],
): EvaluationSummary => ({
  ...summary,
  ...(worstCaseHas('medianL2', attacks) ? {} : { medianL2: null }),
  ...(worstCaseHas('medianLinf', attacks) ? {} : { medianLinf: null }),
});

const isWithin = ({ l2, linf }: ThreatModel, distanceL2: number, distanceLinf: number): boolean =>
  (l2 !== undefined && distanceL2 <= reachOf(l2)) || (linf !== undefined && distanceLinf <= reachOf(linf));

const attempt = async <Result>(run: () => Promise<Result>): Promise<Result | { readonly error: unknown }> => {
  try {
    return await run();
  } catch (error) {
    return { error };
  }
};

/**
 * Runs attacks one after the other and yields each result as soon as it exists, then the worst case over all of them. An attack that fails
 * is yielded with its error, and the next one runs. After an abort the generator yields the attacks without a result and the worst case over
 * the others, and ends. Errors, before the first attack: ATTACK_INPUT when the model, images and labels do not fit together, and for an
 * unknown attack or setting.
 */
export async function* evaluateAttacks(
  options: EvaluateAttacksOptions,
): AsyncGenerator<AttackOutcome, void, undefined> {
  checkOptions(options, optionChecks, settingsHint);
  const { dataset, onProgress, standing: onlyStanding = true } = options;
  const specs = expandAttacks(options.attacks, dataset === undefined ? {} : { dataset });
  // An abort leaves out attacks. So the signal does not stop the classification of the clean images.
  const subject = await openSubject({ ...options, signal: undefined });
  const worst = createWorstCase(subject, specs);
  const leftOut: LeftOut[] = [];
  for (const attack of specs) {
    const result = await attempt(() => {
      options.signal?.throwIfAborted();
      return collectAttack(subject, attack, {
        ...options,
        ...(onlyStanding && !worst.isUnlimited && { only: worst.standing }),
        onProgress: (progress) => onProgress?.({ attack, ...progress }),
      });
    });
    if ('error' in result) {
      leftOut.push({ attack, error: result.error });
      yield { kind: 'failure', attack, error: result.error };
    } else {
      worst.add(result);
      yield { kind: 'evaluation', ...result, standing: worst.standing.filter(Boolean).length };
    }
  }
  yield worst.report(leftOut);
}
