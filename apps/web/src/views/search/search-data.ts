/** The search of a sweep and its decisions, kept up to date by events. */
import type { SearchDecision } from '@funnel/contracts';
import { call } from '../../data/api.ts';
import { type ListState, usePagedList } from '../../data/paged-list.ts';
import { changesSearch } from '../../data/queries.ts';

const pageSize = 500;
/** The outcome of one unit can change what the notes of others say, so all pages are fetched again, with at least this pause. */
const minPauseMs = 2000;

export const decisionsKey = (sweepId: string) => ['decisions', sweepId] as const;

/** The decisions by number. `all`: fetches every page, and not only when asked for more. */
export const useDecisions = (
  sweepId: string,
  { all }: { readonly all: boolean },
): ListState<SearchDecision> =>
  usePagedList<SearchDecision>({
    key: decisionsKey(sweepId),
    load: (cursor, signal) =>
      call('listDecisions', { params: { id: sweepId }, query: { limit: pageSize, cursor } }, signal),
    idOf: ({ number }) => String(number),
    affectedBy: changesSearch(sweepId),
    ...{ all, minPauseMs },
  }).state;
