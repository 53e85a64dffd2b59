/** The best configuration of a sweep as text, and how many configurations rank below it because of a verdict. */
import {
  belowText,
  epsilonOfBest,
  noBestText,
  runsOfBest,
  type Sweep,
  verdictText,
  withinText,
} from '@funnel/contracts';
import { sureText, titleOf } from './metrics.ts';

type Best = NonNullable<NonNullable<Sweep['overview']>['best']>;

/** `robust accuracy 38.0 % (29.1–47.8)`: for a cell. */
const valueOfBest = ({ metric, value, interval }: Best): string =>
  `${titleOf(metric)} ${sureText(metric, value, interval)}`;

/** ` under pgd-linf ε 0.3`, ` in the worst case, within L∞ 0.3`; an attack that looks for the smallest change has no ε. */
const attackOfBest = (best: Best): string => {
  const { attack, within = {}, metric } = best;
  if (attack === null) return ` in the worst case${withinText(within, metric)}`;
  const epsilon = epsilonOfBest(best);
  return ` under ${attack}${epsilon === null ? '' : ` ε ${epsilon}`}`;
};

/** `; suspect`; empty for `ok`. */
const markOfBest = ({ verdict }: Best): string =>
  verdict === null || verdict === 'ok' ? '' : `; ${verdictText(verdict)}`;

/**
 * `robust accuracy 38.0 % (29.1–47.8) under fgsm ε 0.1; suspect; 4 of 6 rank below: masked 3, too few 1`; else why there is none. Empty before the
 * first value.
 */
export const bestCell = (sweep: Sweep): string => {
  const best = sweep.overview?.best;
  if (!best) return noBestText(sweep) ?? '';
  const below = best.below ? `; ${belowText(best.below, { isBrief: true })}` : '';
  return `${valueOfBest(best)}${attackOfBest(best)}${markOfBest(best)}${below}`;
};

/** The lines of `funnel show SWEEP`; empty before the first value. */
export const bestLines = ({ overview }: Sweep): readonly string[] => {
  const best = overview?.best;
  if (!best) return [];
  const { below } = best;
  return [
    `best      ${valueOfBest(best)}${attackOfBest(best)}: ${runsOfBest(best)}${markOfBest(best)}`,
    ...(below ? [`          ${belowText(below)}`] : []),
  ];
};
