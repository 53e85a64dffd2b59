/** What the list and the page of a sweep say of its best configuration. */
import { attacks, evaluationMetrics, type SweepOverview, withinText } from '@funnel/contracts';
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

/** `trial 4, 200 images`, or `mean of 2 seeds, 200 images each`. The value of a distance may be a median: `over 2 seeds`. */
export const evidenceOfBest = ({ trial, seeds = 1, images, interval }: Best): string => {
  const trials = seeds === 1 ? `trial ${trial}` : `${interval ? 'mean of' : 'over'} ${plural(seeds, 'seed')}`;
  if (images === undefined) return trials;
  const isEqual = images % seeds === 0;
  return `${trials}, ${plural(isEqual ? images / seeds : images, 'image')}${seeds === 1 ? '' : isEqual ? ' each' : ' together'}`;
};

/** All of it in one sentence, for a tooltip. */
export const describeBest = (best: Best): string =>
  [
    titleOfBest(best),
    evidenceOfBest(best),
    ...(best.interval ? [`95 % interval ${formatInterval(best.interval)}`] : []),
    ...((best.seeds ?? 1) === 1 ? [] : [`the first is trial ${best.trial}`]),
  ].join('; ');
