/**
 * Lists that the server sends page by page (an infinite query of TanStack Query). Events change a list in place: single items are
 * patched and single pages are fetched again, so that the loaded pages and the scroll position stay.
 */
import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  type QueryKey,
  useInfiniteQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect, useEffectEvent, useMemo } from 'react';
import { type AffectedBy, liveMeta } from './query-client.ts';

export type Page<T> = { readonly items: readonly T[]; readonly next: string | null };
type Pages<T> = InfiniteData<Page<T>, string | undefined>;

type PagedQuery<T> = {
  readonly key: QueryKey;
  readonly load: (cursor: string | undefined, signal?: AbortSignal) => Promise<Page<T>>;
  readonly idOf: (item: T) => string;
  /** Items that may have changed while the list was not shown. Their pages are fetched again when it is shown again. */
  readonly mayChange?: (item: T) => boolean;
  /** Fetch all pages at once, and not only when the user scrolls. */
  readonly all?: boolean;
  /** New items come at the end: a refresh also fetches the last page. */
  readonly grows?: boolean;
  /** These events make the whole list stale: all of its loaded pages are fetched again. */
  readonly affectedBy?: AffectedBy;
  readonly minPauseMs?: number;
  /** Show the items of the previous key until those of a new key arrive. */
  readonly keepPrevious?: boolean;
};

/** With `all`, a list stops loading at this size. */
const maxItems = 20_000;

/** All items in order. An item that moved to the next page while pages were loaded appears once. */
export const itemsOf = <T>(pages: Pages<T> | undefined, idOf: (item: T) => string): readonly T[] => {
  const items = new Map<string, T>();
  for (const page of pages?.pages ?? [])
    for (const item of page.items) {
      const id = idOf(item);
      if (!items.has(id)) items.set(id, item);
    }
  return [...items.values()];
};

/**
 * Merges a page that was fetched again into the loaded page, in the order of the fetched one. Loaded items that the fetched page lacks
 * stay, at the end. The last page may have got a successor.
 */
const mergePage = <T>(old: Pages<T>, index: number, fresh: Page<T>, idOf: (item: T) => string): Pages<T> => {
  const page = old.pages[index]!;
  const elsewhere = new Set(
    old.pages.flatMap((other) => (other === page ? [] : other.items.map((item) => idOf(item)))),
  );
  const freshIds = new Set(fresh.items.map(idOf));
  const items = [
    ...fresh.items.filter((item) => !elsewhere.has(idOf(item))),
    ...page.items.filter((item) => !freshIds.has(idOf(item))),
  ];
  return { ...old, pages: old.pages.with(index, { items, next: page.next ?? fresh.next }) };
};

/** Changes the items of each page. Pages whose items stay the same array stay the same object. */
const mapPages = <T>(old: Pages<T>, map: (items: readonly T[]) => readonly T[]): Pages<T> => {
  const pages = old.pages.map((page) => {
    const items = map(page.items);
    return items === page.items ? page : { ...page, items };
  });
  return pages.every((page, index) => page === old.pages[index]) ? old : { ...old, pages };
};

export const listOptions = <T>(query: PagedQuery<T>) =>
  infiniteQueryOptions<Page<T>, Error, Pages<T>, QueryKey, string | undefined>({
    queryKey: query.key,
    queryFn: ({ pageParam, signal }) => query.load(pageParam, signal),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.next,
    // A list that updates itself would otherwise fetch all of its pages when it is shown again after an error.
    refetchOnMount: query.affectedBy !== undefined,
    placeholderData: query.keepPrevious ? keepPreviousData : undefined,
    structuralSharing: false,
    meta:
      query.affectedBy === undefined
        ? { updatesItself: true }
        : { ...liveMeta(query.affectedBy), minPauseMs: query.minPauseMs },
  });

export type ListChanges<T> = ReturnType<typeof listChanges<T>>;

/** Changes of the loaded pages of a list. */
export const listChanges = <T>(client: QueryClient, query: PagedQuery<T>) => {
  const { key, load, idOf, grows = false } = query;
  const cache = client.getQueryCache();
  const find = () => cache.find<Pages<T>>({ queryKey: key, exact: true });
  const read = () => client.getQueryData<Pages<T>>(key);

  /**
   * Changes the loaded pages. A request in progress replaces the pages by those from before the change, so the change is then made again.
   */
  const change = (update: (pages: Pages<T>) => Pages<T>): void => {
    const apply = () => client.setQueryData<Pages<T>>(key, (pages) => pages && update(pages));
    apply();
    if (client.isFetching({ queryKey: key, exact: true }) === 0) return;
    const stop = cache.subscribe((notice) => {
      if (notice.type !== 'updated' || notice.query !== find()) return;
      const { action } = notice;
      if (action.type !== 'error' && (action.type !== 'success' || action.manual)) return;
      stop();
      apply();
    });
  };

  return {
    first: (): T | undefined => read()?.pages[0]?.items[0],
    has: (id: string): boolean =>
      read()?.pages.some((page) => page.items.some((item) => idOf(item) === id)) ?? false,
    /** Changes items in place, by id. */
    patch: (changes: ReadonlyMap<string, (item: T) => T>): void =>
      change((pages) =>
        mapPages(pages, (items) =>
          items.some((item) => changes.has(idOf(item)))
            ? items.map((item) => changes.get(idOf(item))?.(item) ?? item)
            : items,
        ),
      ),
    remove: (id: string): void =>
      change((pages) =>
        mapPages(pages, (items) =>
          items.some((item) => idOf(item) === id) ? items.filter((item) => idOf(item) !== id) : items,
        ),
      ),
    /** Fetches the pages that hold certain items again. If the server cannot be reached, the items stay and the list has the error. */
    refresh: async (isWanted: (item: T) => boolean): Promise<void> => {
      for (const [index, page] of (read()?.pages ?? []).entries()) {
        const mayGrow = page.items.length === 0 || (grows && page.next === null);
        if (!mayGrow && !page.items.some(isWanted)) continue;
        try {
          const fresh = await load(read()?.pageParams[index]);
          change((pages) => (index < pages.pages.length ? mergePage(pages, index, fresh, idOf) : pages));
        } catch (error) {
          find()?.setState({ status: 'error', error: error as Error });
          return;
        }
      }
    },
  };
};

export type ListState<T> = {
  readonly items: readonly T[];
  /** More pages are to come. */
  readonly partial: boolean;
  readonly loading: boolean;
  readonly error: Error | null;
  /** Fetches the next page, or the first one again after an error. */
  readonly more: () => void;
};

export const usePagedList = <T>(
  query: PagedQuery<T>,
): { readonly state: ListState<T>; readonly list: ListChanges<T> } => {
  const client = useQueryClient();
  const {
    data,
    error,
    isLoading,
    isPlaceholderData,
    isFetching,
    isFetchingNextPage,
    hasNextPage,
    fetchNextPage,
  } = useInfiniteQuery(listOptions(query));
  const hash = JSON.stringify(query.key);
  // The key identifies the query; its functions are new in every render.
  const list = useMemo(() => listChanges(client, query), [client, hash]);
  const items = useMemo(() => itemsOf(data, query.idOf), [data]);
  const more = useMemo(() => () => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);

  const onShow = useEffectEvent(() => {
    if (data === undefined) return;
    if (query.mayChange) void list.refresh(query.mayChange);
    if (error !== null) more();
  });
  useEffect(() => onShow(), [list]);

  const loadsAll =
    query.all === true && hasNextPage && !isFetching && error === null && items.length < maxItems;
  useEffect(() => {
    if (loadsAll) more();
  }, [loadsAll, items.length, more]);

  const partial = data === undefined || isPlaceholderData || hasNextPage;
  return {
    state: { items, partial, loading: isLoading || isPlaceholderData || isFetchingNextPage, error, more },
    list,
  };
};
