/**
 * The verdict of a trial: the worst verdict of its evaluations, unless its numbers say nothing at all. A classifier that guesses may win on the
 * few images that it guesses right, and a share of a few images may be anything.
 */
import { z } from 'zod';
import { type Verdict, worstVerdict } from './attacks/diagnostics.ts';
import { wilsonInterval } from './statistics.ts';

/** From the best to the worst. */
export const trialVerdicts = ['ok', 'suspect', 'too-few', 'masked', 'untrained'] as const;
export const TrialVerdict = z.enum(trialVerdicts).meta({
  description:
    '`ok`, `suspect`, `masked`: the worst verdict of the evaluations. `too-few`: the attacks had fewer than 20 correctly classified images. `untrained`: the clean accuracy may be that of guesses.',
});
export type TrialVerdict = z.infer<typeof TrialVerdict>;

export const isWorse = (verdict: TrialVerdict, other: TrialVerdict): boolean =>
  trialVerdicts.indexOf(verdict) > trialVerdicts.indexOf(other);

/** For `sort`. */
export const worstFirst = (verdict: TrialVerdict, other: TrialVerdict): number =>
  trialVerdicts.indexOf(other) - trialVerdicts.indexOf(verdict);

/** `ok` for no verdicts. */
export const worstTrialVerdict = (verdicts: readonly TrialVerdict[]): TrialVerdict =>
  verdicts.reduce<TrialVerdict>((worst, verdict) => (isWorse(verdict, worst) ? verdict : worst), 'ok');

/** Trials with these verdicts rank below all others: their values say nothing about robustness. */
export const ranksBelow = (verdict: TrialVerdict): boolean => isWorse(verdict, 'suspect');

/** A share of fewer correctly classified images says too little: its 95 % interval is more than 40 points wide. */
export const fewestCorrect = 20;

/** A clean accuracy whose 95 % interval is not wholly above this many times that of guesses is not the result of training. */
export const guessFactor = 1.5;

/** The images of a clean accuracy, and those that are classified correctly. */
type CleanImages = { readonly correct: number; readonly images: number };

export type TrialCounts = {
  /** Of the evaluations. */
  readonly verdicts: readonly Verdict[];
  /** The attacked images: all of them, and those that the classifier gets right when clean. */
  readonly attacked: CleanImages;
  /** The test images; null if nobody measured them. */
  readonly tested: CleanImages | null;
  readonly classes: number;
};

export const trialVerdict = ({ verdicts, attacked, tested, classes }: TrialCounts): TrialVerdict => {
  const { correct, images } = tested ?? attacked;
  const [low] = wilsonInterval(correct, images);
  if (low <= guessFactor / classes) return 'untrained';
  const isFew = attacked.correct < fewestCorrect;
  return worstTrialVerdict([worstVerdict(verdicts), isFew ? 'too-few' : 'ok']);
};

/** What a verdict of the counts means, and what to do. The other verdicts have the sentences of the checks. */
export const countVerdicts = {
  'too-few': {
    reason: `the attacks had fewer than ${fewestCorrect} correctly classified images`,
    remedy: 'raise `dataset.attack`, or train for more epochs',
  },
  untrained: {
    reason: `the 95 % interval of the clean accuracy is not wholly above ${guessFactor} times that of guesses`,
    remedy: 'train for more epochs, or try other learning rates, before you compare its robustness',
  },
} as const satisfies Partial<Record<TrialVerdict, { reason: string; remedy: string }>>;

/** Reason and remedy in one sentence. */
export const countVerdictTexts = {
  'too-few': `${countVerdicts['too-few'].reason}: ${countVerdicts['too-few'].remedy}`,
  untrained: `${countVerdicts.untrained.reason}: ${countVerdicts.untrained.remedy}`,
} as const;

const percent = (share: number): string => `${Number((100 * share).toFixed(1))}`;

/** Why this classifier is `untrained`, in numbers. `classes`: of its data set. */
export const untrainedReason = ({ correct, images }: CleanImages, classes: number): string => {
  const [low, high] = wilsonInterval(correct, images);
  const most = percent(Math.min(1, guessFactor / classes));
  return `the clean accuracy (${percent(low)}–${percent(high)} % of ${images} images) is not clearly above ${most} %, ${guessFactor} times that of guesses with ${classes} classes`;
};

/**
 * Why the counts of a trial give it this verdict; null for the other verdicts. `clean`: the images of the clean accuracy, null if nobody knows
 * them. `classes`: of its data set.
 */
export const countReason = (
  verdict: TrialVerdict | null,
  clean: CleanImages | null,
  classes: number,
): string | null => {
  if (verdict !== 'too-few' && verdict !== 'untrained') return null;
  return verdict === 'untrained' && clean ? untrainedReason(clean, classes) : countVerdicts[verdict].reason;
};

/** The verdict as pages and tables show it: `too few`. */
export const verdictText = (verdict: TrialVerdict): string => verdict.replace('-', ' ');
