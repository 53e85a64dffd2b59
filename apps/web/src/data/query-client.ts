/**
 * The cache of answers (TanStack Query). An answer is fetched once and stays until events make it stale. A stale answer that a visible page
 * shows is fetched again after a pause, so that many events cost the server little.
 */
import type { FunnelEvent } from '@funnel/contracts';
import { focusManager, type Query, QueryClient } from '@tanstack/react-query';

/** Returns true if an event makes an answer stale. `data`: the cached answer, if there is one. */
export type AffectedBy<T = unknown> = (event: FunnelEvent, data: T | undefined) => boolean;

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: {
      readonly affectedBy?: AffectedBy;
      /** The shortest pause between two fetches. (Default: 400) */
      readonly minPauseMs?: number;
      /** The list applies events itself. */
      readonly updatesItself?: boolean;
    };
  }
}

/** The `meta` of a query that depends on events. TanStack keeps no type for the data there. */
export const liveMeta = <T>(affectedBy: AffectedBy<T>) => ({ affectedBy: affectedBy as AffectedBy });

const minPauseMs = 400;
const maxPauseMs = 10_000;

export const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 10 * 60_000,
        // The client of the API repeats requests itself.
        retry: false,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        // A server on this machine can be reached without a network.
        networkMode: 'always',
      },
    },
  });

type Timing = { readonly startedAt: number; readonly tookMs: number };

/** Marks cached answers as stale, and fetches the shown ones again. The pause between two fetches is five times the duration of a fetch. */
export const createStaleMarker = (client: QueryClient) => {
  const cache = client.getQueryCache();
  const timings = new WeakMap<Query, Timing>();
  /** Marked since their last fetch started. TanStack forgets such a mark when the fetch ends. */
  const marked = new WeakSet<Query>();
  const timers = new Set<Query>();

  const refetchLater = (query: Query): void => {
    if (timers.has(query) || !query.isActive() || !focusManager.isFocused()) return;
    const { startedAt, tookMs } = timings.get(query) ?? { startedAt: 0, tookMs: 0 };
    const pauseMs = Math.min(maxPauseMs, Math.max(query.meta?.minPauseMs ?? minPauseMs, 5 * tookMs));
    timers.add(query);
    setTimeout(
      () => {
        timers.delete(query);
        if (focusManager.isFocused())
          void client.refetchQueries(
            { queryKey: query.queryKey, exact: true, type: 'active' },
            { cancelRefetch: false },
          );
      },
      Math.max(0, startedAt + pauseMs - Date.now()),
    );
  };

  const mark = (query: Query): void => {
    marked.add(query);
    query.invalidate();
    refetchLater(query);
  };

  cache.subscribe((notice) => {
    if (notice.type !== 'updated') return;
    const { query, action } = notice;
    if (action.type === 'fetch' && action.meta?.fetchMore === undefined) {
      marked.delete(query);
      timings.set(query, { startedAt: Date.now(), tookMs: timings.get(query)?.tookMs ?? 0 });
    }
    if (action.type === 'success' || action.type === 'error') {
      const { startedAt } = timings.get(query) ?? { startedAt: Date.now() };
      if (action.type === 'error' || !action.manual)
        timings.set(query, { startedAt, tookMs: Date.now() - startedAt });
      if (marked.has(query)) mark(query);
    }
  });

  return {
    /** Marks the answers that events affect. */
    markAffected: (events: readonly FunnelEvent[]): void => {
      for (const query of cache.getAll()) {
        const { affectedBy } = query.meta ?? {};
        if (affectedBy && events.some((event) => affectedBy(event, query.state.data))) mark(query);
      }
    },
    /** Marks all answers, because events may have been missed. */
    markAll: (): void => {
      for (const query of cache.getAll()) if (query.meta?.updatesItself !== true) mark(query);
    },
    /** Fetches the answers that became stale while the page was hidden. */
    wake: (): void => {
      for (const query of cache.getAll()) if (query.state.isInvalidated) refetchLater(query);
    },
  };
};

export const queryClient = createQueryClient();
