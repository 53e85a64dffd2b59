/**
 * Answers of the server by key, kept while somebody looks at them. A page shows what is cached at once and is told when something
 * newer has come. What has gone stale is fetched again at most every few of its own durations, so that a storm of events costs the
 * server little; nothing is fetched for a hidden page.
 */
export type QueryState<T> = {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly loading: boolean;
};

export type Query<T> = {
  readonly key: string;
  readonly load: (signal: AbortSignal) => Promise<T>;
};

type Entry = {
  state: QueryState<unknown>;
  readonly listeners: Set<() => void>;
  load: (signal: AbortSignal) => Promise<unknown>;
  stale: boolean;
  startedAt: number;
  duration: number;
  timer: ReturnType<typeof setTimeout> | null;
  touchedAt: number;
};

/** Least and most milliseconds between two fetches of one key; between them, five times what the last one took. */
const least = 400;
const most = 10_000;
/** Unwatched answers beyond this many are dropped, longest unused first. */
const kept = 120;

const idle: QueryState<never> = { data: undefined, error: undefined, loading: true };

export const createQueryCache = (options: {
  readonly visible: () => boolean;
  readonly now?: () => number;
}) => {
  const now = options.now ?? (() => performance.now());
  const entries = new Map<string, Entry>();

  const settle = (entry: Entry, state: QueryState<unknown>) => {
    entry.state = state;
    for (const listener of entry.listeners) listener();
  };

  const start = async (entry: Entry): Promise<void> => {
    entry.stale = false;
    entry.startedAt = now();
    try {
      const data = await entry.load(new AbortController().signal);
      entry.duration = now() - entry.startedAt;
      settle(entry, { data, error: undefined, loading: false });
    } catch (error) {
      entry.duration = now() - entry.startedAt;
      settle(entry, { data: entry.state.data, error, loading: false });
    }
    if (entry.stale) schedule(entry);
  };

  const schedule = (entry: Entry): void => {
    if (entry.timer !== null || entry.listeners.size === 0 || !options.visible()) return;
    const gap = Math.min(most, Math.max(least, 5 * entry.duration));
    const wait = Math.max(0, entry.startedAt + gap - now());
    entry.timer = setTimeout(() => {
      entry.timer = null;
      if (entry.stale && entry.listeners.size > 0) void start(entry);
    }, wait);
  };

  const entryOf = <T>(query: Query<T>): Entry => {
    const found = entries.get(query.key);
    if (found) {
      found.load = query.load;
      return found;
    }
    const entry: Entry = {
      state: idle,
      listeners: new Set(),
      load: query.load,
      stale: true,
      startedAt: Number.NEGATIVE_INFINITY,
      duration: 0,
      timer: null,
      touchedAt: now(),
    };
    entries.set(query.key, entry);
    return entry;
  };

  const dropUnused = () => {
    const unused = [...entries].filter(([, entry]) => entry.listeners.size === 0);
    unused.sort(([, a], [, b]) => a.touchedAt - b.touchedAt);
    for (const [key] of unused.slice(0, Math.max(0, unused.length - kept))) entries.delete(key);
  };

  return {
    /** The same object until something changes, as `useSyncExternalStore` asks. */
    read: <T>(key: string): QueryState<T> => (entries.get(key)?.state ?? idle) as QueryState<T>, // keyed by its own query

    watch: <T>(query: Query<T>, listener: () => void): (() => void) => {
      const entry = entryOf(query);
      entry.listeners.add(listener);
      if (entry.stale) {
        // The first fetch does not wait for visibility: a tab opened in the background is ready when it is looked at.
        if (entry.state.data === undefined && entry.timer === null) void start(entry);
        else schedule(entry);
      }
      return () => {
        entry.listeners.delete(listener);
        entry.touchedAt = now();
        dropUnused();
      };
    },

    /** Marks answers as out of date; those being looked at are fetched again soon. */
    invalidate: (affected: (key: string, data: unknown) => boolean): void => {
      for (const [key, entry] of entries)
        if (affected(key, entry.state.data)) {
          entry.stale = true;
          schedule(entry);
        }
    },

    /** After the page was hidden: fetches what went stale meanwhile. */
    wake: (): void => {
      for (const entry of entries.values()) if (entry.stale) schedule(entry);
    },

    /** Fetches now, by a person's wish. */
    refresh: (key: string): void => {
      const entry = entries.get(key);
      if (!entry) return;
      settle(entry, { data: entry.state.data, error: undefined, loading: true });
      void start(entry);
    },
  };
};
