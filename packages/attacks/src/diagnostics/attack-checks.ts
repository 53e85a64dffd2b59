/** H1, H2, H3, H9: what a weaker attacker finds, a stronger one must find. */
import type { AttackInput } from '@funnel/contracts';
import { worstCase } from '../statistics.ts';
import {
  type Check,
  type CheckContext,
  diagnostic,
  hits,
  isCertain,
  pgdAt,
  whiteBoxHits,
  withstood,
} from './check.ts';

/** |weaker \ stronger| / n. */
const missed = (weaker: Set<number>, stronger: Set<number>, images: number): number =>
  images === 0 ? 0 : [...weaker].filter((i) => !stronger.has(i)).length / images;

/** H1 = |FGSM hits \ PGD hits| / n at one L∞ budget; flagged above 0.005 (Athalye et al. 2018, §3.1). */
export const iterativeBeatsSingleStep: Check = async ({ evaluate, budgets, labels }) => {
  const single = hits(await evaluate({ attack: 'fgsm', search: false, epsilon: budgets.linf }));
  const value = missed(single, hits(await evaluate(pgdAt(budgets.linf))), labels.length);
  const detail = `${percent(value)} of ${labels.length} images fall to FGSM but not to PGD at L∞ ${budgets.linf}.`;
  return [
    diagnostic('H1', {
      value,
      threshold: 0.005,
      flagged: value > 0.005,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

const squareQueries = 500;

/** H2 = |Square hits \ white-box hits| / n at one L∞ budget; flagged above 0.002, AutoAttack's α (`autoattack/checks.py`). */
export const whiteBoxBeatsBlackBox: Check = async (context) => {
  const { evaluate, budgets, labels } = context;
  const black = hits(
    await evaluate({ attack: 'square-linf', epsilon: budgets.linf, queries: squareQueries }),
  );
  const value = missed(black, await whiteBoxHits(context), labels.length);
  const detail = `${percent(value)} of ${labels.length} images fall to Square (${squareQueries} queries) but to no gradient attack at L∞ ${budgets.linf}.`;
  return [
    diagnostic('H2', {
      value,
      threshold: 0.002,
      flagged: value > 0.002,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/**
 * H3 = |transfer hits \ white-box hits| / n; flagged above 0 (Carlini et al. 2019). H18 = share of transferred candidates that do not fool
 * the model: above ½, transfer results say little about it (Pintor et al. 2022). Both need surrogates.
 */
export const whiteBoxBeatsTransfer: Check = async (context) => {
  const { evaluate, budgets, labels, hasSurrogates } = context;
  if (!hasSurrogates) return [];
  const transfer = await evaluate({ attack: 'transfer-linf', epsilon: budgets.linf });
  const value = missed(hits(transfer), await whiteBoxHits(context), labels.length);
  const failed = 1 - transfer.summary.successRate;
  return [
    diagnostic('H3', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail: `${percent(value)} of ${labels.length} images fall to PGD on surrogates but to no gradient attack on the model itself.`,
    }),
    diagnostic('H18', {
      value: failed,
      threshold: 0.5,
      flagged: failed > 0.5,
      detail: `${percent(failed)} of ${labels.length} images withstand what was made on surrogates at L∞ ${budgets.linf}.`,
    }),
  ];
};

const draws = 200;

/** H9 = |random-noise hits \ white-box hits| / n at one L∞ budget, over uniform draws from the ball; flagged above 0. */
export const whiteBoxBeatsNoise: Check = async (context: CheckContext) => {
  const { evaluate, budgets, labels } = context;
  const noise = hits(await evaluate({ attack: 'noise-linf', epsilon: budgets.linf, draws }));
  const value = missed(noise, await whiteBoxHits(context), labels.length);
  const detail = `${percent(value)} of ${labels.length} images fall to ${draws} random draws but to no gradient attack at L∞ ${budgets.linf}.`;
  return [
    diagnostic('H9', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

// H4, H6, H17: with no budget to keep to, every model falls.

/** H4 = the greater of A(1) and A(½) − 0.1, where A is accuracy under PGD in L∞: every pixel may change to anything; flagged above 0. */
export const unboundedSucceeds: Check = async ({ evaluate, labels }) => {
  const [all, grey] = [withstood(await evaluate(pgdAt(1))), withstood(await evaluate(pgdAt(0.5)))];
  const value = Math.max(all, grey - 0.1);
  const detail = `Accuracy of ${labels.length} images under PGD is ${all.toFixed(3)} at L∞ 1 (0 expected) and ${grey.toFixed(3)} at L∞ 0.5 (at most 0.1).`;
  return [
    diagnostic('H4', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/** H17 = share of images that FMN, which has no budget, does not fool (Pintor et al. 2022, I6); flagged above 0. */
export const unconstrainedSucceeds: Check = async ({ evaluate, labels }) => {
  const value = withstood(await evaluate('fmn-l2'));
  const detail = `${(100 * value).toFixed(1)} % of ${labels.length} images withstand FMN, whose budget is unlimited.`;
  return [
    diagnostic('H17', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/**
 * H6 = share of images whose minimal L2 perturbation is said to be larger than their distance to another image, which the model gives
 * another class: that image is the smaller perturbation. Flagged above 0 (Carlini et al. 2019, §5).
 */
export const distancesArePlausible: Check = async (context) => {
  const { evaluate, labels } = context;
  const [minimal, deepfool] = [await evaluate('fmn-l2'), await evaluate('deepfool-l2')];
  const least = (i: number): number =>
    Math.min(
      minimal.records.l2[i] ?? Number.POSITIVE_INFINITY,
      deepfool.records.l2[i] ?? Number.POSITIVE_INFINITY,
    );
  const impossible = Array.from(labels.keys()).filter((i) => least(i) > nearestOther(context, i));
  const value = labels.length === 0 ? 0 : impossible.length / labels.length;
  const detail = `For ${impossible.length} of ${labels.length} images the least L2 found exceeds the distance to an image of another class.`;
  return [
    diagnostic('H6', {
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/** L2 to the nearest of the images that has another label; all are classified as labelled. */
const nearestOther = ({ values, labels, model: { width } }: CheckContext, image: number): number => {
  let nearest = Number.POSITIVE_INFINITY;
  for (let other = 0; other < labels.length; other++) {
    if (labels[other] === labels[image]) continue;
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (values[image * width + i]! - values[other * width + i]!) ** 2;
    nearest = Math.min(nearest, Math.sqrt(squares));
  }
  return nearest;
};

// H5, H7, H8, H22: more budget and more effort must not look like more robustness, and what they gain shows what was missing.

/** H5 = the greatest rise of A(ε) from one ε to a larger one, in standard errors √(p(1 − p)/n); flagged above 1. */
export const accuracyFalls: Check = async ({ evaluate, budgets, labels }) => {
  const epsilons = [0.25, 0.5, 1, 1.5].map((factor) => factor * budgets.linf);
  const accuracies: number[] = [];
  for (const epsilon of epsilons) accuracies.push(withstood(await evaluate(pgdAt(epsilon))));
  const rises = accuracies.slice(1).map((accuracy, i) => {
    const before = accuracies[i]!;
    const error = Math.sqrt(Math.max(before * (1 - before), 1 / labels.length) / labels.length);
    return (accuracy - before) / error;
  });
  const value = Math.max(0, ...rises);
  const detail = `Accuracy under PGD at L∞ ${epsilons.map((e) => e.toFixed(3)).join(', ')} is ${accuracies.map((a) => a.toFixed(3)).join(', ')}.`;
  return [diagnostic('H5', { value, threshold: 1, flagged: value > 1, detail })];
};

/** One point, or one image where there are fewer than a hundred: a single image more is no finding. */
const gain = (images: number): number => Math.max(0.01, 1 / images) + 1e-9;

/** H7 = A(40 steps) − A(160 steps) under PGD; flagged above 0.01 and one image: the attack had not converged. */
export const attackConverged: Check = async ({ evaluate, budgets, labels }) => {
  const [short, long] = [
    withstood(await evaluate(pgdAt(budgets.linf))),
    withstood(await evaluate(pgdAt(budgets.linf, { steps: 160 }))),
  ];
  const value = short - long;
  const detail = `Accuracy of ${labels.length} images under PGD is ${short.toFixed(3)} after 40 steps and ${long.toFixed(3)} after 160.`;
  const threshold = gain(labels.length);
  return [diagnostic('H7', { value, threshold, flagged: value > threshold, detail })];
};

/** H8 = A(1 restart) − A(10 restarts) under PGD; flagged above 0.01 and one image: one start is not enough here. */
export const restartsAddNothing: Check = async ({ evaluate, budgets, labels }) => {
  const [one, ten] = [
    withstood(await evaluate(pgdAt(budgets.linf))),
    withstood(await evaluate(pgdAt(budgets.linf, { restarts: 10 }))),
  ];
  const value = one - ten;
  const detail = `Accuracy of ${labels.length} images under PGD is ${one.toFixed(3)} with 1 restart and ${ten.toFixed(3)} with 10.`;
  const threshold = gain(labels.length);
  return [diagnostic('H8', { value, threshold, flagged: value > threshold, detail })];
};

/** H22 = min over attacks of mean accuracy − mean over images of the worst case. Never flagged: the worst case is what is reported. */
export const worstCasePerImage: Check = async ({ evaluate, budgets, labels }) => {
  const attacks: readonly AttackInput[] = [pgdAt(budgets.linf), pgdAt(budgets.linf, { loss: 'margin' })];
  const evaluations = [];
  for (const attack of attacks) evaluations.push(await evaluate(attack));
  const least = Math.min(...evaluations.map(withstood));
  const worst = 1 - worstCase(evaluations).success.filter(Boolean).length / Math.max(labels.length, 1);
  const detail = `Per image the worst of ${attacks.length} attacks leaves ${worst.toFixed(3)}; the best single attack ${least.toFixed(3)}. The former is reported.`;
  return [diagnostic('H22', { value: least - worst, threshold: 1, flagged: false, detail })];
};
