import { useCallback, useRef, useSyncExternalStore } from 'react';
import { type Affected, live } from './live.ts';
import type { QueryState } from './query-cache.ts';
import type { LiveQuery } from './use-query.ts';

/** Several answers at once, in the order of the questions. The array is the same until one of them changes. */
export const useQueries = <T>(queries: readonly LiveQuery<T>[]): readonly QueryState<T>[] => {
  const keys = queries.map(({ key }) => key).join('\n');
  const last = useRef<readonly QueryState<T>[]>([]);
  // The keys name the queries; their functions are made anew on every render.
  const watch = useCallback(
    (listener: () => void) => {
      const stops = queries.map((query) => {
        if (query.affectedBy) live.affectedBy.set(query.key, query.affectedBy as Affected<unknown>); // called with this key's data
        return live.cache.watch(query, listener);
      });
      return () => {
        for (const stop of stops) stop();
      };
    },
    [keys],
  );
  const read = () => {
    const now = queries.map(({ key }) => live.cache.read<T>(key));
    const same = now.length === last.current.length && now.every((state, i) => state === last.current[i]);
    if (!same) last.current = now;
    return last.current;
  };
  return useSyncExternalStore(watch, read);
};
