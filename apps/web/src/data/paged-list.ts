import { useEffect, useEffectEvent, useMemo, useSyncExternalStore } from 'react';

/**
 * A list that the server gives page by page, kept as one array. Pages are fetched on demand (`more`) or all in turn (`all`), can be
 * refreshed singly, and an item can be patched in place from an event before the server is asked again.
 */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null };

export type ListState<T> = {
  readonly items: readonly T[];
  /** More pages are there. */
  readonly partial: boolean;
  readonly loading: boolean;
  readonly error: unknown;
};

type LoadPage<T> = (cursor: string | undefined) => Promise<Page<T>>;
type Held<T> = { readonly cursor: string | undefined; items: readonly T[]; next: string | null };

export type PagedList<T> = ReturnType<typeof createPagedList<T>>;

export const createPagedList = <T>(load: LoadPage<T>, idOf: (item: T) => string) => {
  const pages: Held<T>[] = [];
  const pageOf = new Map<string, number>();
  const listeners = new Set<() => void>();
  let state: ListState<T> = { items: [], partial: true, loading: false, error: undefined };
  let pending: Promise<void> | null = null;

  const publish = (change: Partial<ListState<T>> = {}) => {
    const items = pages.flatMap((page) => page.items);
    const partial = pages.length === 0 || pages.at(-1)!.next !== null;
    state = { ...state, items, partial, ...change };
    for (const listener of listeners) listener();
  };

  const index = (at: number) => {
    for (const item of pages[at]!.items) pageOf.set(idOf(item), at);
  };

  const more = (): Promise<void> => {
    if (pending) return pending;
    if (!state.partial) return Promise.resolve();
    const cursor = pages.at(-1)?.next ?? undefined;
    state = { ...state, loading: true };
    for (const listener of listeners) listener();
    pending = load(cursor)
      .then((page) => {
        // An item that slid over a page's edge while paging is kept once.
        const items = page.items.filter((item) => !pageOf.has(idOf(item)));
        pages.push({ cursor, items, next: page.next });
        index(pages.length - 1);
        publish({ loading: false, error: undefined });
      })
      .catch((error: unknown) => publish({ loading: false, error }))
      .finally(() => {
        pending = null;
      });
    return pending;
  };

  return {
    read: (): ListState<T> => state,
    watch: (listener: () => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    more,
    /** Fetches every page in turn, giving way to the page between them. Stops at the first fault or when `signal` aborts. */
    all: async (signal: AbortSignal, most = 20_000): Promise<void> => {
      while (state.partial && !signal.aborted && state.items.length < most) {
        await more();
        if (state.error !== undefined) return;
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
    /**
     * Fetches the pages that hold items of interest again and takes over what changed; what is new comes to the front of its page.
     * A server that cannot be reached leaves everything as it is, with the fault in `error`.
     */
    refresh: async (wanted: (item: T) => boolean): Promise<void> => {
      for (const [at, held] of pages.entries()) {
        if (!held.items.some(wanted) && held.items.length > 0) continue;
        const page = await load(held.cursor).catch((error: unknown) => publish({ error }));
        if (page === undefined) return;
        const fresh = new Map(page.items.map((item) => [idOf(item), item]));
        const added = page.items.filter((item) => !pageOf.has(idOf(item)));
        held.items = [...added, ...held.items.map((item) => fresh.get(idOf(item)) ?? item)];
        index(at);
        publish({ error: undefined });
      }
    },
    /** Changes items in place, by id; answers which of them are not here. */
    patch: (changes: ReadonlyMap<string, (item: T) => T>): string[] => {
      const unknown: string[] = [];
      const touched = new Set<number>();
      for (const id of changes.keys()) {
        const at = pageOf.get(id);
        if (at === undefined) unknown.push(id);
        else touched.add(at);
      }
      for (const at of touched)
        pages[at]!.items = pages[at]!.items.map((item) => changes.get(idOf(item))?.(item) ?? item);
      if (touched.size > 0) publish();
      return unknown;
    },
    /** Puts items that are new at the front: what has just been made. */
    prepend: (items: readonly T[]): void => {
      const fresh = items.filter((item) => !pageOf.has(idOf(item)));
      if (fresh.length === 0 || pages.length === 0) return;
      pages[0]!.items = [...fresh, ...pages[0]!.items];
      index(0);
      publish();
    },
    remove: (id: string): void => {
      const at = pageOf.get(id);
      if (at === undefined) return;
      pages[at]!.items = pages[at]!.items.filter((item) => idOf(item) !== id);
      pageOf.delete(id);
      publish();
    },
    has: (id: string): boolean => pageOf.has(id),
  };
};

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
