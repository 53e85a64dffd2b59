/** Ties the event stream to what the pages show: one cache, one stream, one clock for the whole page. */
import type { FunnelEvent, FunnelEventRow } from '@funnel/contracts';
import { openEventStream, type StreamStatus } from './event-stream.ts';
import { createQueryCache } from './query-cache.ts';

export type LiveBatch = {
  readonly rows: readonly FunnelEventRow[];
  /** True: something may have been missed, everything on show should be asked for again. */
  readonly gap: boolean;
};

/** Which events make an answer out of date. */
export type Affected<T> = (event: FunnelEvent, data: T | undefined) => boolean;

/** A page that was hidden for longer than this is asked for anew, in case the browser had frozen it. */
const frozenMs = 120_000;

const createLive = () => {
  const cache = createQueryCache({ visible: () => document.visibilityState === 'visible' });
  const affectedBy = new Map<string, Affected<unknown>>();
  const listeners = new Set<(batch: LiveBatch) => void>();
  const statusListeners = new Set<() => void>();
  let status: StreamStatus = 'connecting';
  let hiddenAt: number | null = null;

  const emit = (batch: LiveBatch) => {
    cache.invalidate((key, data) => {
      const affected = affectedBy.get(key);
      return batch.gap || (affected !== undefined && batch.rows.some((row) => affected(row.event, data)));
    });
    for (const listener of listeners) listener(batch);
  };

  return {
    cache,
    affectedBy,
    start: (): (() => void) => {
      const onVisibility = () => {
        if (document.visibilityState === 'hidden') hiddenAt = Date.now();
        else {
          if (hiddenAt !== null && Date.now() - hiddenAt > frozenMs) emit({ rows: [], gap: true });
          hiddenAt = null;
          cache.wake();
        }
      };
      document.addEventListener('visibilitychange', onVisibility);
      const close = openEventStream({
        onEvents: (rows) => emit({ rows, gap: false }),
        onGap: () => emit({ rows: [], gap: true }),
        onStatus: (next) => {
          status = next;
          for (const listener of statusListeners) listener();
        },
      });
      return () => {
        document.removeEventListener('visibilitychange', onVisibility);
        close();
      };
    },
    listen: (listener: (batch: LiveBatch) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watchStatus: (listener: () => void): (() => void) => {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    status: (): StreamStatus => status,
  };
};

export const live = createLive();
