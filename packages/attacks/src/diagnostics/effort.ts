/** H5, H7, H8, H22: more budget and more effort must not look like more robustness, and what they gain shows what was missing. */
import type { AttackInput } from '@funnel/contracts';
import { worstCase } from '../curves.ts';
import { type Check, diagnostic, withstood } from './context.ts';
import { pgdAt } from './white-box.ts';

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
