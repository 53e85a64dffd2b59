/** H1, H2, H3, H9: what a weaker attacker finds, a stronger one must find. */
import { type Check, type CheckContext, diagnostic, hits, isCertain } from './context.ts';
import { pgdAt, whiteBoxHits } from './white-box.ts';

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
