/** What the list and the page of a sweep say of its best configuration. */
import { attacks, evaluationMetrics, ranksBelow, type SweepOverview, withinText } from '@funnel/contracts';
import { formatInterval, formatNumber, inSentence, plural } from '../../format.ts';

type Best = NonNullable<SweepOverview['best']>;

/** `PGD L∞ ε 0.3`, or `L∞ 0.3 or L2 2` for the worst case within these balls; empty without an attack or a ball. */
const attackOfBest = ({ attack, settings, within, metric }: Best): string => {
  if (attack === null) return within ? withinText(within, metric).replace(/^, within /, '') : '';
  const { epsilon, search } = settings ?? {};
  const size = typeof epsilon === 'number' && search !== true ? ` ε ${formatNumber(epsilon)}` : '';
  return `${attacks[attack].title}${size}`;
};

/** `robust accuracy · PGD L∞ ε 0.3`. */
export const titleOfBest = (best: Best): string =>
  [inSentence(evaluationMetrics[best.metric].title), attackOfBest(best)]
    .filter((part) => part !== '')
    .join(' · ');

/** `trial 4`, or `mean of 2 seeds`. The value of a distance may be a median: `over 2 seeds`. */
const trialsOfBest = ({ trial, seeds = 1, interval }: Best): string =>
  seeds === 1 ? `trial ${trial}` : `${interval ? 'mean of' : 'over'} ${plural(seeds, 'seed')}`;

/** `200 images`, or `200 images each`; empty in answers of older versions. */
const imagesOfBest = ({ seeds = 1, images }: Best): string => {
  if (images === undefined) return '';
  if (images % seeds !== 0) return `${plural(images, 'image')} together`;
  return `${plural(images / seeds, 'image')}${seeds === 1 ? '' : ' each'}`;
};

/** How sure the value is: `32.5–45.9%, mean of 2 seeds`, or without an interval `over 2 seeds, 200 images each`. */
export const evidenceOfBest = (best: Best): string =>
  (best.interval
    ? [formatInterval(best.interval), trialsOfBest(best)]
    : [trialsOfBest(best), imagesOfBest(best)]
  )
    .filter((part) => part !== '')
    .join(', ');

/** Whether even the best configuration says nothing about robustness. The leaderboard ranks such ones below all others. */
export const saysNothing = ({ verdict }: Best): boolean => verdict !== null && ranksBelow(verdict);

/** All of it in one line, for a tooltip. */
export const describeBest = (best: Best): string =>
  [
    titleOfBest(best),
    trialsOfBest(best),
    imagesOfBest(best),
    best.interval ? `95 % interval ${formatInterval(best.interval)}` : '',
    (best.seeds ?? 1) === 1 ? '' : `the first is trial ${best.trial}`,
    saysNothing(best)
      ? 'every configuration so far is masked, untrained or measured on too few images'
      : 'configurations that are masked, untrained or measured on too few images rank below, whatever their value',
  ]
    .filter((part) => part !== '')
    .join('; ');
