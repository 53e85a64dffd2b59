/**
 * Turns per-image records into the numbers of a report: intervals and medians, the summary, the worst case over attacks, the curve over ε.
 * @module @funnel/attacks/statistics
 */
import {
  AppError,
  type AttackName,
  robustnessCurve as curveOfRuns,
  type EvaluationRecords,
  type EvaluationSummary,
  type ExtendedNumber,
  type RobustnessCurve,
  type Run,
  wilsonInterval,
  writeExtended,
} from '@funnel/contracts';
import { checkOptions, nameOf, numbers, oneOf } from './options.ts';

export { wilsonInterval };

/** Null for no values. */
export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The mean of the two middle values for an even count. `Infinity` is a value like others and may be the result. Null for no values or a
 * NaN.
 */
export const median = (values: readonly number[]): number | null => {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const value = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return Number.isNaN(value) ? null : value;
};

type SummaryOptions = {
  /** Values per image, for the mean squared error. */
  readonly width: number;
  /** Whether the attack has a fixed ε. Without one there is no robust accuracy: the attack fools nearly every image of every model. */
  readonly hasBudget: boolean;
  /** The rows of the attacked images. Default: all that the model classifies correctly when clean. */
  readonly attacked?: ArrayLike<number>;
  /** How many answers during the attack had no class. Default 0. */
  readonly invalid?: number;
  /** How many searches ended at the largest value that the attack allows. Default 0. */
  readonly capped?: number;
  /**
   * How many clean images a defence rejected, and for how many attacked images it rejected the candidate. Absent for a model that rejects
   * nothing.
   */
  readonly rejections?: { readonly clean: number; readonly attacked: number } | undefined;
};

/**
 * The denominator of the success rate is the number of attacked images. The robust accuracy is the share of all images that were attacked
 * and not fooled. Where nothing was attacked there is neither.
 */
export const summarise = (
  records: EvaluationRecords,
  { width, hasBudget, attacked: given, invalid = 0, capped = 0, rejections }: SummaryOptions,
): EvaluationSummary => {
  const images = records.index.length;
  const correct = records.index.map((_, i) => i).filter((i) => records.correct[i]);
  const attacked = given === undefined ? correct : Array.from(given);
  const fooled = attacked.filter((i) => records.success[i]);
  const attempted = attacked.length;
  const successes = fooled.length;
  const isRobustnessKnown = hasBudget && attempted > 0;
  const l2 = fooled.map((i) => records.l2[i]!);
  const medianOverAttacked = (column: readonly (number | null)[]): ExtendedNumber | null => {
    const value = median(attacked.map((i) => column[i] ?? Number.POSITIVE_INFINITY));
    return value === null ? null : writeExtended(value);
  };
  return {
    images,
    attempted,
    cleanAccuracy: images === 0 ? 0 : correct.length / images,
    cleanInterval: wilsonInterval(correct.length, images),
    successes,
    successRate: attempted === 0 ? null : successes / attempted,
    successInterval: attempted === 0 ? null : wilsonInterval(successes, attempted),
    robustAccuracy: isRobustnessKnown ? (attempted - successes) / images : null,
    robustInterval: isRobustnessKnown ? wilsonInterval(attempted - successes, images) : null,
    noiseLevel: mean(l2),
    // In a worst case the distance of an image may lie outside the balls: then no attack fooled it.
    noiseLevelAll: mean(attacked.map((i) => (records.success[i] ? records.l2[i]! : 0))),
    meanSquaredError: mean(l2.map((norm) => (norm * norm) / width)),
    medianL2Success: median(l2),
    medianL2: medianOverAttacked(records.l2),
    medianLinf: medianOverAttacked(records.linf),
    medianL0: medianOverAttacked(records.l0),
    meanQueries: mean(attacked.map((i) => records.queries[i]!)),
    meanSteps: mean(attacked.map((i) => records.steps[i]!)),
    ...(invalid > 0 && { invalidAnswers: invalid }),
    ...(capped > 0 && { cappedSearches: capped }),
    ...(rejections && {
      rejectedClean: images === 0 ? 0 : rejections.clean / images,
      rejectedAttacked: attempted === 0 ? 0 : rejections.attacked / attempted,
    }),
  };
};

/** The results of one attack, as `evaluateAttack` returns them and the database keeps them. */
export type Evaluated = {
  readonly attack: { readonly attack: AttackName };
  readonly records: EvaluationRecords;
};

const isEvaluated = (value: unknown): boolean =>
  Array.isArray((value as Partial<Evaluated> | null | undefined)?.records?.index);

const checkEvaluations = (evaluations: readonly Evaluated[]): void => {
  if (Array.isArray(evaluations) && evaluations.every(isEvaluated)) return;
  const wrong = Array.isArray(evaluations) ? evaluations.find((one) => !isEvaluated(one)) : evaluations;
  throw new AppError(
    'ATTACK_INPUT',
    `Expected evaluations as a list of results of evaluateAttack, but got ${nameOf(wrong)}${Array.isArray(evaluations) ? ' in it' : ''}`,
  );
};

/**
 * The worst case per image: for every image the nearest adversarial that any attack found. Each distance is the smallest in its own norm,
 * so the three distances of an image may come from different attacks; `predicted` comes from the attack with the smallest L2. Steps and
 * queries are sums over the attacks. All evaluations must be of the same model. Errors: ATTACK_INPUT when their images differ, or when
 * there are none.
 */
export const worstCase = (evaluations: readonly Evaluated[]): EvaluationRecords => {
  checkEvaluations(evaluations);
  const [first, ...others] = evaluations.map(({ records }) => records);
  if (first === undefined)
    throw new AppError('ATTACK_INPUT', 'Expected at least one evaluation, but got none');
  const worst = structuredClone(first);
  for (const records of others) {
    if (String(records.index) !== String(first.index))
      throw new AppError(
        'ATTACK_INPUT',
        'Expected evaluations of the same images in the same order, but their indices differ',
      );
    if (String(records.label) !== String(first.label))
      throw new AppError('ATTACK_INPUT', 'Expected evaluations of the same images, but their labels differ');
    records.index.forEach((_, i) => {
      worst.steps[i]! += records.steps[i]!;
      worst.queries[i]! += records.queries[i]!;
      if (!records.success[i]) return;
      if (worst.l2[i] === null || records.l2[i]! < worst.l2[i]!) worst.predicted[i] = records.predicted[i]!;
      worst.success[i] = true;
      worst.l2[i] = Math.min(worst.l2[i] ?? Number.POSITIVE_INFINITY, records.l2[i]!);
      worst.linf[i] = Math.min(worst.linf[i] ?? Number.POSITIVE_INFINITY, records.linf[i]!);
      worst.l0[i] = Math.min(worst.l0[i] ?? Number.POSITIVE_INFINITY, records.l0[i]!);
    });
  }
  return worst;
};

/** The ε of a curve: 0 … ½ in hundredths (L∞), 0 … 5 in tenths (L2). */
export const curveEpsilons = (norm: 'l2' | 'linf'): number[] =>
  Array.from({ length: 51 }, (_, i) => (norm === 'linf' ? i / 100 : i / 10));

/** An evaluation with the settings of its attack, which say at which ε it counts. */
type EvaluatedRun = Evaluated & { readonly attack: Run };

/**
 * Robust accuracy over ε in one norm: the share of all images that the model classifies correctly and for which no attack found an adversarial
 * within ε. Only attacks that work in this norm count: those at a fixed ε at that ε, and those that search for the smallest change at every ε.
 * Null where no attack counts. With 95 % Wilson intervals. Errors: ATTACK_INPUT, as for `worstCase`.
 */
export const robustnessCurve = (
  evaluations: readonly EvaluatedRun[],
  norm: 'l2' | 'linf',
  epsilons: readonly number[] = curveEpsilons(norm),
): RobustnessCurve => {
  checkOptions({ norm, epsilons }, { norm: oneOf(['l2', 'linf']), epsilons: numbers });
  worstCase(evaluations); // refuses evaluations of different images
  return curveOfRuns(
    evaluations.map(({ attack, records }) => ({ ...attack, records })),
    norm,
    epsilons,
  );
};
