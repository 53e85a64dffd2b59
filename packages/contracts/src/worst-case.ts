/** The worst case over the attacks of a trial as a count of images. All attacks of a trial get the same images. */
import { readExtended } from './json.ts';
import type { Trial } from './resources/trials.ts';
import { wilsonInterval } from './statistics.ts';

/** A share of the worst case, the images that it counts, and its 95 % interval; null without a value. */
export const worstCaseShare = (
  {
    evaluations,
    worstCase,
  }: Pick<Trial, 'worstCase'> & {
    readonly evaluations: readonly Pick<Trial['evaluations'][number], 'summary'>[];
  },
  metric: 'robustAccuracy' | 'successRate' | 'cleanAccuracy',
) => {
  const summary = evaluations[0]?.summary;
  const value = readExtended(worstCase?.values[metric] ?? null);
  if (!summary || value === null) return null;
  const of = metric === 'successRate' ? summary.attempted : summary.images;
  const count = Math.round(value * of);
  return { value, count, of, interval: wilsonInterval(count, of) };
};
