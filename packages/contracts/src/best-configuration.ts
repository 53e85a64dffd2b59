/** The best configuration of a sweep in words. */
import { evaluationMetrics } from './metrics.ts';
import type { Sweep } from './resources/sweeps.ts';
import type { BelowCounts, NoBest, SweepOverview } from './sweep-overview.ts';
import { plural } from './text.ts';
import { trialVerdicts, verdictText, worstFirst } from './trial-verdict.ts';

/** `4 of 6 configurations rank below: masked 3, too few 1`, the worst verdict first; in a narrow cell without the word `configurations`. */
export const belowText = (
  { configurations, ranked, verdicts, hasMore }: BelowCounts,
  { isBrief = false }: { readonly isBrief?: boolean } = {},
): string => {
  const found = [...trialVerdicts].sort(worstFirst).filter((verdict) => verdicts[verdict] !== undefined);
  const all = `${hasMore ? 'more than ' : ''}${isBrief ? ranked : plural(ranked, 'configuration')}`;
  if (hasMore && configurations === ranked) return `${all} rank below: ${found.map(verdictText).join(', ')}`;
  const counts = found.map((verdict) => `${verdictText(verdict)} ${verdicts[verdict]}`).join(', ');
  if (configurations < ranked)
    return `${configurations} of ${all} ${configurations === 1 ? 'ranks' : 'rank'} below: ${counts}`;
  const only = isBrief ? 'the only one' : 'the only configuration';
  return `${ranked === 1 ? `${only} says` : `all ${all} say`} nothing${isBrief ? '' : ' about robustness'}: ${counts}`;
};

type Best = NonNullable<SweepOverview['best']>;

const whyNone: Readonly<Record<NoBest, string>> = {
  'several-objectives': 'several objectives',
  'turned-objective': 'objective against the usual direction',
};

/** Why a sweep has no best configuration: `several objectives`, or `none` after its end. Null before the first value. */
export const noBestText = ({
  overview,
  finishedAt,
}: Pick<Sweep, 'overview' | 'finishedAt'>): string | null => {
  if (overview?.best) return null;
  if (overview?.noBest) return whyNone[overview.noBest];
  return finishedAt === null ? null : 'none';
};

/** The ε of the attack of the best value; null in the worst case, and for an attack that looks for the smallest change. */
export const epsilonOfBest = ({ attack, settings = {} }: Best): number | null => {
  const { epsilon, search } = settings;
  return attack !== null && typeof epsilon === 'number' && search !== true ? epsilon : null;
};

/** `200 images`, or `200 images each`; empty in answers of older versions. */
const imagesOfBest = ({ seeds = 1, images }: Best): string => {
  if (images === undefined) return '';
  if (images % seeds !== 0) return `, ${plural(images, 'image')} together`;
  return `, ${plural(images / seeds, 'image')}${seeds === 1 ? '' : ' each'}`;
};

/** Over what the value is: `trial 4, 200 images`, or `mean of 2 seeds, 200 images each`. A distance may be a median: `over 2 seeds`. */
export const runsOfBest = (best: Best): string => {
  const { trial, seeds = 1, metric } = best;
  const mean = evaluationMetrics[metric].unit === 'fraction' ? 'mean of' : 'over';
  return `${seeds === 1 ? `trial ${trial}` : `${mean} ${plural(seeds, 'seed')}`}${imagesOfBest(best)}`;
};
