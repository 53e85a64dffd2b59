import { useCallback, useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import type { StreamStatus } from './event-stream.ts';
import { type Affected, type LiveBatch, live } from './live.ts';
import type { Query, QueryState } from './query-cache.ts';

export type LiveQuery<T> = Query<T> & { readonly affectedBy?: Affected<T> };

const nothing: QueryState<never> = { data: undefined, error: undefined, loading: false };
const noWatch = () => () => undefined;

/** What the server answers, kept right by the event stream. `null` asks for nothing. */
export const useQuery = <T>(query: LiveQuery<T> | null): QueryState<T> & { readonly refresh: () => void } => {
  const key = query?.key;
  // The key names the query; its functions are made anew on every render.
  const watch = useCallback(
    (listener: () => void) => {
      if (query === null) return () => undefined;
      if (query.affectedBy) live.affectedBy.set(query.key, query.affectedBy as Affected<unknown>); // called with this key's data
      return live.cache.watch(query, listener);
    },
    [key],
  );
  const state = useSyncExternalStore(key === undefined ? noWatch : watch, () =>
    key === undefined ? (nothing as QueryState<T>) : live.cache.read<T>(key),
  );
  const refresh = useCallback(() => {
    if (key !== undefined) live.cache.refresh(key);
  }, [key]);
  return { ...state, refresh };
};

/** Calls back with every batch of events while the component is shown. */
export const useLive = (onBatch: (batch: LiveBatch) => void): void => {
  const handle = useEffectEvent(onBatch);
  useEffect(() => live.listen((batch) => handle(batch)), []);
};

export const useStreamStatus = (): StreamStatus => useSyncExternalStore(live.watchStatus, live.status);
