/**
 * All event streams of this process. They share one listening connection and one reader of the database: the hub reads each new event
 * once and offers it to every stream. StreamLimits bounds the streams in total and per caller, so that no caller can take them all.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { AppError, plural, variableOf } from '@funnel/contracts';
import { type Db, eventsAfter, isEventAfter, lastEventId, onEvents } from '@funnel/db';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { createFairQueue } from '../planning/fair-queue.ts';
import { createWarning } from '../warning.ts';
import { createEventStream, type EventSource, type EventStream } from './event-stream.ts';

export type StreamLimits = {
  /**
   * Counts a stream of `caller`; a null caller counts in the total only. Returns the function that releases it; further calls of that
   * function do nothing. Throws TOO_MANY_OWN_STREAMS and TOO_MANY_STREAMS.
   */
  readonly acquire: (caller: string | null) => () => void;
  /** The open streams of a caller. */
  readonly openOf: (caller: string) => number;
};

export type StreamLimitsOptions = { readonly total: number; readonly perCaller: number };

export const createStreamLimits = ({ total, perCaller }: StreamLimitsOptions): StreamLimits => {
  let open = 0;
  /** Streams by caller. A caller without a stream has no entry. */
  const byCaller = new Map<string, number>();

  const add = (caller: string, change: 1 | -1): void => {
    const count = (byCaller.get(caller) ?? 0) + change;
    if (count > 0) byCaller.set(caller, count);
    else byCaller.delete(caller);
  };

  return {
    acquire: (caller) => {
      // The caller's own limit first: a caller that fills the whole service must learn about its own streams.
      if (caller !== null && (byCaller.get(caller) ?? 0) >= perCaller)
        throw new AppError(
          'TOO_MANY_OWN_STREAMS',
          `Expected at most ${plural(perCaller, 'stream')} at once with the token ${JSON.stringify(caller)} (${variableOf('ownStreams')}), but it has that many already`,
        );
      if (open >= total)
        throw new AppError(
          'TOO_MANY_STREAMS',
          `Expected at most ${plural(total, 'stream')} at once (${variableOf('streams')}), but there are that many already`,
        );
      open++;
      if (caller !== null) add(caller, 1);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        open--;
        if (caller !== null) add(caller, -1);
      };
    },
    openOf: (caller) => byCaller.get(caller) ?? 0,
  };
};

/** The events table of the database as a source of events. */
export const databaseEvents = (db: Db): EventSource => ({
  after: (query) => eventsAfter(db, query),
  latest: () => lastEventId(db),
  isAfter: isEventAfter,
  listen: (wake) => onEvents(db, wake),
});

export type EventHub = {
  /**
   * Opens a stream for `caller` (null: see StreamLimits) that begins after the event `lastEventId`, or now. Throws TOO_MANY_OWN_STREAMS,
   * TOO_MANY_STREAMS, and UNAVAILABLE while the hub closes.
   */
  readonly open: (query: {
    readonly caller: string | null;
    readonly sweep?: string;
    readonly lastEventId?: string;
  }) => Promise<Readable>;
  readonly size: () => number;
  /** The open streams of a caller. */
  readonly streamsOf: (caller: string) => number;
  /** Ends every stream and stops listening. */
  readonly close: () => Promise<void>;
};

export type EventHubOptions = {
  readonly source: EventSource;
  readonly limits: StreamLimits;
  /** Bytes that may wait for one client. */
  readonly bufferBytes: number;
  /** Milliseconds between heartbeats. At each one the hub also reads the database: a notification may have been lost. */
  readonly heartbeat: number;
  readonly onError: (error: unknown) => void;
};

/** The largest number of events that one query reads. */
const pageSize = 500;

/** Streams that read a page of old events at a time. The others wait for their turn, and callers take turns. */
const replaySlots = 3;

/** Milliseconds for clients to read the rest of their streams when the hub closes. */
const closeTimeoutMs = 1000;

const endAll = async (streams: ReadonlySet<EventStream>): Promise<void> => {
  const open = [...streams].map(({ readable }) => readable);
  const closed = Promise.all(open.map((readable) => readable.closed || once(readable, 'close')));
  for (const stream of streams) stream.end();
  const timer = setTimeout(() => {
    for (const readable of open) readable.destroy();
  }, closeTimeoutMs);
  await closed;
  clearTimeout(timer);
};

export const createEventHub = (options: EventHubOptions): EventHub => {
  const { source, limits, bufferBytes, heartbeat, onError } = options;
  const streams = new Set<EventStream>();
  const replays = createFairQueue({ slots: replaySlots, maxWaiting: Number.POSITIVE_INFINITY });
  let closed = false;
  let cursor = '';
  let started: Promise<{ close: () => Promise<void> }> | null = null;
  let reading: Promise<void> | null = null;
  /** True when a notification came while the hub was reading. */
  let notified = false;

  /** Offers all events after the cursor to the streams. */
  const readNew = async (): Promise<void> => {
    do {
      notified = false;
      const rows = await source.after({ after: cursor, limit: pageSize });
      if (rows.length === 0) continue;
      cursor = rows.at(-1)!.id;
      for (const stream of streams) stream.offer(rows);
      notified ||= rows.length === pageSize;
    } while (notified);
  };

  /** Reads new events. A call while the hub reads makes it read once more. */
  const wake = (): void => {
    notified = true;
    reading ??= readNew()
      .catch(onError)
      .finally(() => {
        reading = null;
      });
  };

  const start = async (): Promise<{ close: () => Promise<void> }> => {
    cursor = await source.latest();
    const listening = await source.listen(wake);
    wake();
    const timer = setInterval(() => {
      for (const stream of streams) stream.beat(cursor);
      if (streams.size > 0) wake();
    }, heartbeat);
    return {
      close: async () => {
        clearInterval(timer);
        await listening.close();
      },
    };
  };

  /** The first client starts the hub. If that fails, the next client tries again. */
  const ensureStarted = (): Promise<unknown> => {
    started ??= start();
    started.catch(() => {
      started = null;
    });
    return started;
  };

  /** The id after which the stream begins. An id after the newest event comes from an earlier database; the stream then begins now. */
  const startFrom = async (lastEventId: string): Promise<string> => {
    const latest = await source.latest();
    return source.isAfter(lastEventId, latest) ? latest : lastEventId;
  };

  return {
    open: async ({ caller, sweep, lastEventId }) => {
      if (closed) throw new AppError('UNAVAILABLE', 'Expected the service to be open, but it is closing');
      const release = limits.acquire(caller);
      try {
        await ensureStarted();
        const from = lastEventId === undefined ? cursor : await startFrom(lastEventId);
        const stream = createEventStream({
          source,
          cursor: from,
          bufferBytes,
          inTurn: (read) => replays.run(caller ?? '', read),
          onError,
          ...(sweep !== undefined && { sweep }),
        });
        streams.add(stream);
        stream.readable.once('close', () => {
          streams.delete(stream);
          release();
        });
        if (closed) stream.end(); // the hub closed while this stream opened
        return stream.readable;
      } catch (error) {
        release();
        throw error;
      }
    },
    size: () => streams.size,
    streamsOf: limits.openOf,
    close: async () => {
      closed = true;
      await endAll(streams);
      const listening = await started?.catch(() => null);
      await listening?.close();
      await reading;
    },
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly eventHub: EventHub;
  }
}

const events = async (app: FastifyInstance, options: Omit<EventHubOptions, 'onError'>): Promise<void> => {
  const hub = createEventHub({ ...options, onError: createWarning(app.log, 'could not read events') });
  app.decorate('eventHub', hub);
  // This runs before the server waits for its connections to end, because streams do not end by themselves.
  app.addHook('preClose', hub.close);
};

/** Adds `app.eventHub`, and closes it with the app. */
export const eventsPlugin = fp(events, { name: 'events' });
