/**
 * Follows the event stream and passes events to the cache and to the lists on show. All tabs of a browser share one stream, because
 * browsers open few connections to one host: the tab that holds a lock reads the stream and forwards it to the others. When that tab
 * closes, another one continues from the last event id, and the server replays the events in between.
 */
import type { FunnelEventRow } from '@funnel/contracts';
import { focusManager } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { client, watchStream } from './api.ts';
import { createStaleMarker, queryClient } from './query-client.ts';

/** `refused`: the server wants another token. */
type StreamStatus = 'connecting' | 'live' | 'lost' | 'refused';

type StreamListener = {
  readonly onEvents: (rows: readonly FunnelEventRow[]) => void;
  readonly onStatus: (status: StreamStatus) => void;
  /** Events may have been missed. */
  readonly onGap: () => void;
};

/** Events are passed on in batches, so that a page draws at most ten times a second. */
const batchMs = 100;
/** After a longer silence, the server may no longer have all events to replay. */
const maxReplayMs = 10 * 60_000;
/** The pause after a refusal (no token, too many streams). */
const refusalPauseMs = 15_000;

type Message =
  | { readonly kind: 'events'; readonly rows: readonly FunnelEventRow[] }
  | { readonly kind: 'status'; readonly status: StreamStatus }
  | { readonly kind: 'gap' }
  | { readonly kind: 'hello' };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Listens to the stream until the page is closed. */
const openEventStream = (listener: StreamListener): void => {
  // Only secure pages (or pages of this machine) have locks. Without them, every tab reads its own stream.
  const channel = 'locks' in navigator ? new BroadcastChannel('funnel-events') : null;
  let lastEventId: string | undefined;
  let status: StreamStatus = 'connecting';
  let batch: FunnelEventRow[] = [];
  let isReader = false;

  const deliver = (message: Message) => {
    if (message.kind === 'events') {
      lastEventId = message.rows.at(-1)?.id ?? lastEventId;
      listener.onEvents(message.rows);
    } else if (message.kind === 'status') {
      status = message.status;
      listener.onStatus(status);
    } else if (message.kind === 'gap') listener.onGap();
  };
  const broadcast = (message: Message) => {
    deliver(message);
    channel?.postMessage(message);
  };
  if (channel)
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind !== 'hello') deliver(data);
      else if (isReader) channel.postMessage({ kind: 'status', status } satisfies Message);
    };

  const passOn = () => {
    const rows = batch;
    batch = [];
    if (rows.length > 0) broadcast({ kind: 'events', rows });
  };

  /** Reads the stream until the page is closed. The client reconnects by itself; its events end only after a refusal. */
  const readStream = async (): Promise<void> => {
    isReader = true;
    let aliveAt: number | null = null;
    watchStream({
      onOpen: () => {
        // Answers fetched before the first connection, or before a long interruption, may be stale.
        const isGapless = aliveAt !== null && Date.now() - aliveAt < maxReplayMs;
        aliveAt = Date.now();
        broadcast({ kind: 'status', status: 'live' });
        if (!isGapless) broadcast({ kind: 'gap' });
      },
      onAlive: () => {
        aliveAt = Date.now();
      },
      onEnd: () => broadcast({ kind: 'status', status: 'lost' }),
      onRefused: () => broadcast({ kind: 'status', status: 'refused' }),
    });
    for (;;) {
      try {
        for await (const row of client.events({ lastEventId })) {
          if (batch.length === 0) setTimeout(passOn, batchMs);
          batch.push(row);
        }
      } catch {
        // The token dialog or an error on the page gives the reason.
        if (status !== 'refused') broadcast({ kind: 'status', status: 'lost' });
      }
      await pause(refusalPauseMs);
    }
  };

  if (channel) {
    void navigator.locks.request('funnel-events', readStream);
    channel.postMessage({ kind: 'hello' } satisfies Message);
  } else void readStream();
};

type LiveBatch = {
  readonly rows: readonly FunnelEventRow[];
  /** True if events may have been missed: all shown data should be fetched again. */
  readonly gap: boolean;
};

/** A browser may freeze a hidden page. After this time, the page fetches all data again. */
const frozenMs = 120_000;

const createLive = () => {
  const stale = createStaleMarker(queryClient);
  const listeners = new Set<(batch: LiveBatch) => void>();
  const statusListeners = new Set<() => void>();
  let status: StreamStatus = 'connecting';
  let hiddenAt: number | null = null;

  const emit = (batch: LiveBatch) => {
    if (batch.gap) stale.markAll();
    else stale.markAffected(batch.rows.map(({ event }) => event));
    for (const listener of listeners) listener(batch);
  };

  return {
    /** Called once, when the page starts. */
    start: (): void => {
      focusManager.subscribe((isVisible) => {
        if (!isVisible) {
          hiddenAt = Date.now();
          return;
        }
        if (hiddenAt !== null && Date.now() - hiddenAt > frozenMs) emit({ rows: [], gap: true });
        hiddenAt = null;
        stale.wake();
      });
      openEventStream({
        onEvents: (rows) => emit({ rows, gap: false }),
        onGap: () => emit({ rows: [], gap: true }),
        onStatus: (next) => {
          status = next;
          for (const listener of statusListeners) listener();
        },
      });
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

/** Calls back with every batch of events while the component is mounted. */
export const useLive = (onBatch: (batch: LiveBatch) => void): void => {
  const handle = useEffectEvent(onBatch);
  useEffect(() => live.listen((batch) => handle(batch)), []);
};

export const useStreamStatus = (): StreamStatus => useSyncExternalStore(live.watchStatus, live.status);
