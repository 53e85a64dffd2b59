/** What the list and the page of a sweep say of its best configuration. */
import {
  attacks,
  belowText,
  epsilonOfBest,
  evaluationMetrics,
  ranksBelow,
  runsOfBest,
  type SweepOverview,
  withinText,
} from '@funnel/contracts';
import { formatInterval, formatNumber, inSentence } from '../../format.ts';
import { formatMetric } from '../../statistics/objective.ts';

type Best = NonNullable<SweepOverview['best']>;

/** `PGD L∞ ε 0.3`, or `L∞ 0.3 or L2 2` for the worst case within these balls; empty without an attack or a ball. */
const attackOfBest = (best: Best): string => {
  const { attack, within, metric } = best;
  if (attack === null) return within ? withinText(within, metric).replace(/^, within /, '') : '';
  const epsilon = epsilonOfBest(best);
  return `${attacks[attack].title}${epsilon === null ? '' : ` ε ${formatNumber(epsilon)}`}`;
};

/** `robust accuracy · PGD L∞ ε 0.3`. */
export const titleOfBest = (best: Best): string =>
  [inSentence(evaluationMetrics[best.metric].title), attackOfBest(best)]
    .filter((part) => part !== '')
    .join(' · ');

/** The ends of the interval: `32.5–45.9%`, `1.07–∞`; null without one. */
export const intervalOfBest = ({ interval, metric }: Best): string | null =>
  interval ? formatInterval([Number(interval[0]), Number(interval[1])], formatMetric(metric)) : null;

/** How sure the value is: `32.5–45.9%, mean of 2 seeds, 200 images each`. */
export const evidenceOfBest = (best: Best): string =>
  [intervalOfBest(best) ?? [], runsOfBest(best)].flat().join(', ');

/** Whether even the best configuration says nothing about robustness. The leaderboard ranks such ones below all others. */
export const saysNothing = ({ verdict }: Best): boolean => verdict !== null && ranksBelow(verdict);

/** All of it in one line, for a tooltip. */
export const describeBest = (best: Best): string =>
  [
    titleOfBest(best),
    runsOfBest(best),
    best.interval ? `95 % interval ${intervalOfBest(best)}` : '',
    (best.seeds ?? 1) === 1 ? '' : `the first is trial ${best.trial}`,
    best.below ? belowText(best.below) : '',
    saysNothing(best)
      ? 'every configuration so far is masked, untrained or measured on too few images'
      : 'configurations of which a seed is masked, untrained or measured on too few images rank below, whatever their value',
  ]
    .filter((part) => part !== '')
    .join('; ');
