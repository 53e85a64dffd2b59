/** What the sweep file says about a search that decides one configuration after the other. */
import { type DecidedSearch, isDecided, isPromoting, type SweepDefinition } from '@funnel/contracts';
import { rungsOf } from '@funnel/search';

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

/** The trials of each unit. */
export const countSeeds = ({ seeds }: Pick<SweepDefinition, 'seeds'>): number => new Set(seeds).size;
