/** From the sweep file to the search that `packages/search` decides. */
import { isPromoting, objectivesOf, type SweepDefinition } from '@funnel/contracts';
import type { SearchRecord } from '@funnel/db';
import { type Search, spaceOf } from '@funnel/search';
import { decidedSearchOf, fidelityOf } from './decided-search.ts';
import { readEarlier } from './earlier-observations.ts';

/** What `packages/search` needs. The sweep file decides all of it, except for the points by hand. */
export const searchOf = (
  definition: SweepDefinition,
  { earlier, handPoints }: Pick<SearchRecord, 'earlier' | 'handPoints'>,
): Search => {
  const search = decidedSearchOf(definition);
  const { seed, parallelism, order, stop } = search;
  const objectives = objectivesOf(definition);
  return {
    space: spaceOf(definition),
    strategy: isPromoting(search) ? search.sampler : search.strategy,
    objectives: objectives.length,
    seed,
    parallelism,
    order,
    promotion: isPromoting(search) ? { rule: search.strategy, fidelity: fidelityOf(search)! } : null,
    earlier: readEarlier(earlier, objectives),
    tryFirst: search.try ?? [],
    handPoints,
    stop: { epochs: stop?.epochs, decisionsWithoutImprovement: stop?.decisionsWithoutImprovement },
  };
};
