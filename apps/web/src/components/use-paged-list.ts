import { useEffect, useEffectEvent, useMemo, useSyncExternalStore } from 'react';
import { createPagedList, type ListState, type Page, type PagedList } from '../data/paged-list.ts';

/** Lists are kept by key for as long as the page is open, so that going back finds them where they were. Few: the newest eight. */
const kept = new Map<string, PagedList<unknown>>();
const most = 8;

const listOf = <T>(key: string, make: () => PagedList<T>): PagedList<T> => {
  const found = kept.get(key) as unknown as PagedList<T> | undefined; // one key, one type of item
  const list = found ?? make();
  kept.delete(key);
  kept.set(key, list as unknown as PagedList<unknown>);
  for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - most))) kept.delete(old);
  return list;
};

export type PagedQuery<T> = {
  readonly key: string;
  readonly load: (cursor: string | undefined) => Promise<Page<T>>;
  readonly idOf: (item: T) => string;
  /** Items that may have changed while nobody looked: their pages are fetched again when the list is shown again. */
  readonly mayChange: (item: T) => boolean;
  /** Fetch every page at once, not only as far as one scrolls. */
  readonly all?: boolean;
};

export const usePagedList = <T>(
  query: PagedQuery<T>,
): { readonly list: PagedList<T>; readonly state: ListState<T> } => {
  // The key names the query; its functions are made anew on every render.
  const list = useMemo(() => listOf(query.key, () => createPagedList(query.load, query.idOf)), [query.key]);
  const state = useSyncExternalStore(list.watch, list.read);
  const all = query.all ?? false;
  const mayChange = useEffectEvent(query.mayChange);
  useEffect(() => {
    const stop = new AbortController();
    if (list.read().items.length > 0) void list.refresh(mayChange);
    else if (!all) void list.more();
    if (all) void list.all(stop.signal);
    return () => stop.abort();
  }, [list, all]);
  return { list, state };
};
