/** What the sweep file says about a search that decides one configuration after the other. */
import {
  criteriaOf,
  type DecidedSearch,
  isDecided,
  isPromoting,
  type SearchCriteria,
  type SweepDefinition,
} from '@funnel/contracts';
import { rungsOf } from '@funnel/search';
import type { WantedValue } from './search-record.ts';

/** The search of a sweep that decides one configuration after the other. */
export const decidedSearchOf = ({ search }: Pick<SweepDefinition, 'search'>): DecidedSearch => {
  if (isDecided(search)) return search;
  throw new Error(
    `Expected a search that decides one configuration after the other, but got ${search.strategy}`,
  );
};

/** Null without promotion. */
export const fidelityOf = (search: DecidedSearch) =>
  isPromoting(search) ? { ...search.fidelity, eta: search.eta } : null;

/** The epochs of each rung, shortest first; empty without promotion. */
export const rungEpochsOf = (definition: Pick<SweepDefinition, 'search'>): readonly number[] => {
  const fidelity = fidelityOf(decidedSearchOf(definition));
  return fidelity ? rungsOf(fidelity) : [];
};

export const searchCriteriaOf = (definition: SweepDefinition): SearchCriteria =>
  criteriaOf(definition, decidedSearchOf(definition));

/** The values of a trial that a search reads: of each objective, then of each constraint on a metric. */
export const wantedValues = (definition: SweepDefinition): readonly WantedValue[] => {
  const { objectives, constraints } = searchCriteriaOf(definition);
  const bounded = constraints.flatMap((constraint) => (constraint.kind === 'metric' ? [constraint] : []));
  return [...objectives, ...bounded].map(({ run, metric }) => ({ attack: run, metric }));
};
