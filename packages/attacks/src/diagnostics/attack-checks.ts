/**
 * Checks that compare attacks with each other (H1–H9, H17, H18, H21, H22): a stronger attack must fool every image that a weaker one fools,
 * a larger budget must not raise the accuracy, and an attack without a budget must succeed.
 */
import type { AttackInput } from '@funnel/contracts';
import { hasPixels } from '../flat-model.ts';
import { worstCase } from '../statistics.ts';
import {
  accuracyUnder,
  type Check,
  type CheckContext,
  detailUnlessAllFall,
  detailUnlessWhiteBoxFoolsAll,
  diagnostic,
  hits,
  isCertain,
  notRun,
  percent,
  pgdAt,
  shareFooled,
  whiteBoxHits,
  whiteBoxText,
} from './check.ts';

/** |weaker \ stronger| / n: the share of the images that only the weaker attack fooled. */
const missedShare = (weaker: Set<number>, stronger: Set<number>, images: number): number =>
  images === 0 ? 0 : [...weaker].filter((i) => !stronger.has(i)).length / images;

/** H1 = |FGSM hits \ PGD hits| / n at one L∞ budget; flagged above 0.005 (Athalye et al. 2018, §3.1). */
export const singleStepBeatsIterative: Check = async (context) => {
  const { evaluate, budgets, labels } = context;
  const single = hits(await evaluate({ attack: 'fgsm', search: false, epsilon: budgets.linf }));
  const iterative = hits(await evaluate(pgdAt(budgets.linf)));
  const value = missedShare(single, iterative, labels.length);
  const detail = `${percent(value)} of ${labels.length} images fall to FGSM but not to PGD at L∞ ${budgets.linf}.`;
  return [
    diagnostic('H1', {
      images: labels.length,
      value,
      threshold: 0.005,
      flagged: value > 0.005,
      certain: isCertain(labels.length, value),
      detail: detailUnlessAllFall(context, { fooled: iterative.size, detail }),
    }),
  ];
};

const squareQueries = 500;

/** H2 = |Square hits \ white-box hits| / n at one L∞ budget; flagged above 0.002, α of AutoAttack (`autoattack/checks.py`). */
export const blackBoxBeatsWhiteBox: Check = async (context) => {
  const { evaluate, budgets, labels, model } = context;
  if (!hasPixels(model.shape))
    return [notRun('H2', 0.002, `Square needs images of height × width, not [${model.shape.join(', ')}].`)];
  const blackBox = hits(
    await evaluate({ attack: 'square-linf', epsilon: budgets.linf, queries: squareQueries }),
  );
  const value = missedShare(blackBox, await whiteBoxHits(context), labels.length);
  const detail = `${percent(value)} of ${labels.length} images fall to Square (${squareQueries} queries) but not to ${whiteBoxText} at L∞ ${budgets.linf}.`;
  return [
    diagnostic('H2', {
      images: labels.length,
      value,
      threshold: 0.002,
      flagged: value > 0.002,
      certain: isCertain(labels.length, value),
      detail: await detailUnlessWhiteBoxFoolsAll(context, detail),
    }),
  ];
};

/**
 * H3 = |transfer hits \ white-box hits| / n; flagged above 0 (Carlini et al. 2019).
 * H18, `attack-does-not-transfer` = the share of the surrogates' adversarials that do not fool the model; above ½ transfer results say
 * little about the model (Pintor et al. 2022). Both checks need surrogates.
 */
export const transferBeatsWhiteBox: Check = async (context) => {
  const { evaluate, budgets, labels, hasSurrogates } = context;
  if (!hasSurrogates) return [];
  const transfer = await evaluate({ attack: 'transfer-linf', epsilon: budgets.linf });
  const value = missedShare(hits(transfer), await whiteBoxHits(context), labels.length);
  const failed = accuracyUnder(transfer);
  return [
    diagnostic('H3', {
      images: labels.length,
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail: await detailUnlessWhiteBoxFoolsAll(
        context,
        `${percent(value)} of ${labels.length} images fall to PGD on surrogates but not to ${whiteBoxText} on the model itself.`,
      ),
    }),
    diagnostic('H18', {
      images: labels.length,
      value: failed,
      threshold: 0.5,
      flagged: failed > 0.5,
      detail: `${percent(failed)} of ${labels.length} images withstand the adversarials made on surrogates at L∞ ${budgets.linf}.`,
    }),
  ];
};

const noiseDraws = 200;

/** H9 = |random-noise hits \ white-box hits| / n at one L∞ budget, over uniform draws from the ball; flagged above 0. */
export const noiseBeatsWhiteBox: Check = async (context) => {
  const { evaluate, budgets, labels } = context;
  const noise = hits(await evaluate({ attack: 'noise-linf', epsilon: budgets.linf, draws: noiseDraws }));
  const value = missedShare(noise, await whiteBoxHits(context), labels.length);
  const detail = `${percent(value)} of ${labels.length} images fall to ${noiseDraws} random draws but not to ${whiteBoxText} at L∞ ${budgets.linf}.`;
  return [
    diagnostic('H9', {
      images: labels.length,
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail: await detailUnlessWhiteBoxFoolsAll(context, detail),
    }),
  ];
};

/**
 * H4 = the larger of A(1) and A(½) − 0.1, where A(ε) is the accuracy under PGD in L∞. At ε = 1 every pixel may become anything. Flagged
 * above 0.
 */
export const unboundedAttackFails: Check = async ({ evaluate, labels }) => {
  const [all, grey] = [accuracyUnder(await evaluate(pgdAt(1))), accuracyUnder(await evaluate(pgdAt(0.5)))];
  const value = Math.max(all, grey - 0.1);
  const detail = `Accuracy of ${labels.length} images under PGD is ${all.toFixed(3)} at L∞ 1 (0 expected) and ${grey.toFixed(3)} at L∞ 0.5 (at most 0.1).`;
  return [
    diagnostic('H4', {
      images: labels.length,
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/** H17 = the share of the images that FMN, which has no budget, does not fool (Pintor et al. 2022, I6); flagged above 0. */
export const unconstrainedAttackFails: Check = async ({ evaluate, labels }) => {
  const value = accuracyUnder(await evaluate('fmn-l2'));
  const detail = `${percent(value)} of ${labels.length} images withstand FMN, whose budget is unlimited.`;
  return [
    diagnostic('H17', {
      images: labels.length,
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/**
 * H6 = the share of the images whose smallest L2 perturbation found is larger than their distance to an image of another class: that other
 * image is itself a smaller perturbation. Flagged above 0 (Carlini et al. 2019, §5).
 */
export const distanceIsImplausible: Check = async (context) => {
  const { evaluate, labels } = context;
  const [minimal, deepfool] = [await evaluate('fmn-l2'), await evaluate('deepfool-l2')];
  const smallest = (i: number): number =>
    Math.min(
      minimal.records.l2[i] ?? Number.POSITIVE_INFINITY,
      deepfool.records.l2[i] ?? Number.POSITIVE_INFINITY,
    );
  const impossible = Array.from(labels.keys()).filter((i) => smallest(i) > distanceToOtherClass(context, i));
  const value = labels.length === 0 ? 0 : impossible.length / labels.length;
  const detail = `For ${impossible.length} of ${labels.length} images the least L2 found exceeds the distance to an image of another class.`;
  return [
    diagnostic('H6', {
      images: labels.length,
      value,
      threshold: 0,
      flagged: value > 0,
      certain: isCertain(labels.length, value),
      detail,
    }),
  ];
};

/** The L2 distance to the nearest image with another label; the model classifies all images as labelled. */
const distanceToOtherClass = ({ values, labels, model: { width } }: CheckContext, image: number): number => {
  let nearest = Number.POSITIVE_INFINITY;
  for (let other = 0; other < labels.length; other++) {
    if (labels[other] === labels[image]) continue;
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (values[image * width + i]! - values[other * width + i]!) ** 2;
    nearest = Math.min(nearest, Math.sqrt(squares));
  }
  return nearest;
};

/** H5 = the largest rise of A(ε) from one ε to the next larger one, in standard errors √(p(1 − p)/n); flagged above 1. */
export const accuracyRisesWithEpsilon: Check = async ({ evaluate, budgets, labels }) => {
  const epsilons = [0.25, 0.5, 1, 1.5].map((factor) => factor * budgets.linf);
  const accuracies: number[] = [];
  for (const epsilon of epsilons) accuracies.push(accuracyUnder(await evaluate(pgdAt(epsilon))));
  const rises = accuracies.slice(1).map((accuracy, i) => {
    const before = accuracies[i]!;
    const error = Math.sqrt(Math.max(before * (1 - before), 1 / labels.length) / labels.length);
    return (accuracy - before) / error;
  });
  const value = Math.max(0, ...rises);
  const detail = `Accuracy under PGD at L∞ ${epsilons.map((e) => e.toFixed(3)).join(', ')} is ${accuracies.map((a) => a.toFixed(3)).join(', ')}.`;
  return [diagnostic('H5', { images: labels.length, value, threshold: 1, flagged: value > 1, detail })];
};

/** A longer attack may gain this much without a flag: one percentage point, or one image of fewer than a hundred. */
const allowedGain = (images: number): number => Math.max(0.01, 1 / images) + 1e-9;

/** H7 = A(40 steps) − A(160 steps) under PGD; flagged above `allowedGain`. */
export const attackHasNotConverged: Check = async (context) => {
  const { evaluate, budgets, labels } = context;
  const [short, long] = [
    accuracyUnder(await evaluate(pgdAt(budgets.linf))),
    accuracyUnder(await evaluate(pgdAt(budgets.linf, { steps: 160 }))),
  ];
  const value = short - long;
  const found = `Accuracy of ${labels.length} images under PGD is ${short.toFixed(3)} after 40 steps and ${long.toFixed(3)} after 160.`;
  const detail = detailUnlessAllFall(context, { fooled: labels.length * (1 - short), detail: found });
  const threshold = allowedGain(labels.length);
  return [diagnostic('H7', { images: labels.length, value, threshold, flagged: value > threshold, detail })];
};

/** H8 = A(1 restart) − A(10 restarts) under PGD; flagged above `allowedGain`: one start is not enough for this model. */
export const restartsFindMore: Check = async (context) => {
  const { evaluate, budgets, labels } = context;
  const [one, ten] = [
    accuracyUnder(await evaluate(pgdAt(budgets.linf))),
    accuracyUnder(await evaluate(pgdAt(budgets.linf, { restarts: 10 }))),
  ];
  const value = one - ten;
  const found = `Accuracy of ${labels.length} images under PGD is ${one.toFixed(3)} with 1 restart and ${ten.toFixed(3)} with 10.`;
  const detail = detailUnlessAllFall(context, { fooled: labels.length * (1 - one), detail: found });
  const threshold = allowedGain(labels.length);
  return [diagnostic('H8', { images: labels.length, value, threshold, flagged: value > threshold, detail })];
};

/** H21 = the lower success rate of DeepFool and PGD (L∞ 0.3) on an undefended model; flagged below 0.95: then the attack is wrong. */
export const controlWithstandsAttacks: Check = async ({ control, labels }) => {
  if (control === undefined) return [];
  const [deepfool, pgd] = [shareFooled(await control('deepfool-l2')), shareFooled(await control(pgdAt(0.3)))];
  const value = Math.min(deepfool, pgd);
  const detail = `On the undefended model DeepFool fools ${percent(deepfool)} and PGD ${percent(pgd)} of ${labels.length} images.`;
  return [
    diagnostic('H21', { images: labels.length, value, threshold: 0.95, flagged: value < 0.95, detail }),
  ];
};

/**
 * H22 = the lowest accuracy under one attack − the accuracy under the worst case per image. Never flagged: results report the worst case.
 */
export const worstCaseBeatsBestAttack: Check = async (context) => {
  const { evaluate, budgets, labels } = context;
  const attacks: readonly AttackInput[] = [pgdAt(budgets.linf), pgdAt(budgets.linf, { loss: 'margin' })];
  const evaluations = [];
  for (const attack of attacks) evaluations.push(await evaluate(attack));
  const lowest = Math.min(...evaluations.map(accuracyUnder));
  const worst = 1 - worstCase(evaluations).success.filter(Boolean).length / Math.max(labels.length, 1);
  const found = `The worst case per image over ${attacks.length} attacks leaves an accuracy of ${worst.toFixed(3)}; the best single attack leaves ${lowest.toFixed(3)}. Results report the worst case.`;
  const detail = detailUnlessAllFall(context, { fooled: labels.length * (1 - lowest), detail: found });
  return [
    diagnostic('H22', { images: labels.length, value: lowest - worst, threshold: 1, flagged: false, detail }),
  ];
};
