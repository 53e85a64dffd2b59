/**
 * One event stream for all of this browser's tabs. A browser opens few connections to one host, so a tab must not hold one each: the
 * tab that holds the lock reads the stream and tells the others. When it goes, the next takes over from the last id that it heard, and
 * the server replays what lies between.
 */
import type { FunnelEvent, FunnelEventRow } from '@funnel/contracts';
import { client, watchStream } from './api.ts';
import { createQueryCache } from './query-cache.ts';

export type StreamStatus = 'connecting' | 'live' | 'lost';

export type StreamListener = {
  readonly onEvents: (rows: readonly FunnelEventRow[]) => void;
  readonly onStatus: (status: StreamStatus) => void;
  /** Something may have been missed: what is shown should be asked for again. */
  readonly onGap: () => void;
};

/** Events are handed over in batches of this many milliseconds: a page draws ten times a second at most. */
const batchMs = 100;
/** After a longer silence than this the server may have forgotten what it would replay. */
const replayTrustedMs = 10 * 60_000;
/** A server that refuses (no token, too many streams) is asked again after this long. */
const refusedMs = 15_000;

type Message =
  | { readonly kind: 'events'; readonly rows: readonly FunnelEventRow[] }
  | { readonly kind: 'status'; readonly status: StreamStatus }
  | { readonly kind: 'gap' }
  | { readonly kind: 'hello' };

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });

/** Starts listening; answers how to stop. */
export const openEventStream = (listener: StreamListener): (() => void) => {
  const stop = new AbortController();
  // Locks exist only where the page is served securely (or from this machine); elsewhere every tab reads for itself.
  const channel = 'locks' in navigator ? new BroadcastChannel('funnel-events') : null;
  let lastEventId: string | undefined;
  let status: StreamStatus = 'connecting';
  let waiting: FunnelEventRow[] = [];
  let leads = false;

  const deliver = (message: Message) => {
    if (message.kind === 'events') {
      lastEventId = message.rows.at(-1)?.id ?? lastEventId;
      listener.onEvents(message.rows);
    } else if (message.kind === 'status') {
      status = message.status;
      listener.onStatus(status);
    } else if (message.kind === 'gap') listener.onGap();
  };
  const tell = (message: Message) => {
    deliver(message);
    channel?.postMessage(message);
  };
  if (channel)
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind !== 'hello') deliver(data);
      else if (leads) channel.postMessage({ kind: 'status', status } satisfies Message);
    };

  const hand = () => {
    const rows = waiting;
    waiting = [];
    if (rows.length > 0) tell({ kind: 'events', rows });
  };

  /** Reads until the page goes. The client makes lost connections again; only a refusal comes back here. */
  const lead = async (): Promise<void> => {
    leads = true;
    let aliveAt: number | null = null;
    watchStream({
      onOpen: () => {
        // The first connection begins now: what was fetched before it may be old. One that was long lost is not trusted either.
        const trusted = aliveAt !== null && Date.now() - aliveAt < replayTrustedMs;
        aliveAt = Date.now();
        tell({ kind: 'status', status: 'live' });
        if (!trusted) tell({ kind: 'gap' });
      },
      onAlive: () => {
        aliveAt = Date.now();
      },
      onEnd: () => {
        if (!stop.signal.aborted) tell({ kind: 'status', status: 'lost' });
      },
    });
    while (!stop.signal.aborted) {
      try {
        for await (const row of client.events({ lastEventId, signal: stop.signal })) {
          if (waiting.length === 0) setTimeout(hand, batchMs);
          waiting.push(row);
        }
      } catch {
        tell({ kind: 'status', status: 'lost' }); // the dialog for a token, or the page's own calls, say why
      }
      if (!stop.signal.aborted) await pause(refusedMs, stop.signal);
    }
  };

  if (channel) {
    navigator.locks.request('funnel-events', { signal: stop.signal }, lead).catch(() => undefined); // the page went first
    channel.postMessage({ kind: 'hello' } satisfies Message);
  } else void lead();

  return () => {
    stop.abort();
    channel?.close();
  };
};

/** Ties the event stream to what the pages show: one cache, one stream, one clock for the whole page. */
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
