/** Places among the streams: so many in all, and so many of one caller, so that no caller can shut the others out. */

import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { AppError } from '@funnel/contracts';
import { type Db, eventsAfter, isEventAfter, lastEventId, onEvents } from '@funnel/db';
import { createEventStream, type EventSource, type EventStream } from './event-stream.ts';

export type Places = {
  /**
   * Takes a place; `caller` null: one who is counted among all only. Returns what gives it back, however often it is called. Throws
   * TOO_MANY_OWN_STREAMS, TOO_MANY_STREAMS.
   */
  readonly take: (caller: string | null) => () => void;
};

export type PlacesOptions = { readonly inAll: number; readonly ofOneCaller: number };

/** Of one caller where nothing else is said: a quarter, but enough for a person with some pages open and a few scripts. */
export const shareOfOneCaller = (inAll: number): number => Math.max(8, Math.floor(inAll / 4));

export const createPlaces = ({ inAll, ofOneCaller }: PlacesOptions): Places => {
  let taken = 0;
  /** Only callers that have one: a name that is gone costs nothing. */
  const byCaller = new Map<string, number>();

  const add = (caller: string, change: 1 | -1): void => {
    const count = (byCaller.get(caller) ?? 0) + change;
    if (count > 0) byCaller.set(caller, count);
    else byCaller.delete(caller);
  };

  return {
    take: (caller) => {
      // Their own first: whoever has too many is told so, even when it is they who fill the service.
      if (caller !== null && (byCaller.get(caller) ?? 0) >= ofOneCaller)
        throw new AppError(
          'TOO_MANY_OWN_STREAMS',
          `Expected at most ${ofOneCaller} streams at once with the token ${JSON.stringify(caller)}, but there are as many`,
        );
      if (taken >= inAll)
        throw new AppError(
          'TOO_MANY_STREAMS',
          `Expected at most ${inAll} streams at once, but there are as many`,
        );
      taken++;
      if (caller !== null) add(caller, 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        taken--;
        if (caller !== null) add(caller, -1);
      };
    },
  };
};

/** The outbox of the database as a source of events. */
export const databaseEvents = (db: Db): EventSource => ({
  after: (query) => eventsAfter(db, query),
  latest: () => lastEventId(db),
  isAfter: isEventAfter,
  listen: (wake) => onEvents(db, wake),
});

/** All event streams of this process on one listening connection and one reading of the database. */

export type EventHub = {
  /** Opens a stream for `caller` (null: see Places) from `lastEventId`, or from now. Throws TOO_MANY_OWN_STREAMS, TOO_MANY_STREAMS. */
  readonly open: (query: {
    readonly caller: string | null;
    readonly sweep?: string;
    readonly lastEventId?: string;
  }) => Promise<Readable>;
  readonly size: () => number;
  /** Ends every stream and stops listening. */
  readonly close: () => Promise<void>;
};

export type EventHubOptions = {
  readonly source: EventSource;
  /** Taken by streams that are open or being opened. */
  readonly places: Places;
  readonly bufferBytes: number;
  /** Milliseconds between heartbeats, and between looks at the database that no notification asked for. */
  readonly heartbeat: number;
  readonly onError: (error: unknown) => void;
};

const page = 500;

/** Milliseconds that clients have to read what was sent before their streams are cut. */
const patience = 1000;

const endAll = async (streams: ReadonlySet<EventStream>): Promise<void> => {
  const open = [...streams].map(({ readable }) => readable);
  const gone = Promise.all(open.map((readable) => readable.closed || once(readable, 'close')));
  for (const stream of streams) stream.end();
  const timer = setTimeout(() => {
    for (const readable of open) readable.destroy();
  }, patience);
  await gone;
  clearTimeout(timer);
};

export const createEventHub = (options: EventHubOptions): EventHub => {
  const { source, places, bufferBytes, heartbeat, onError } = options;
  const streams = new Set<EventStream>();
  let closed = false;
  let cursor = '';
  let started: Promise<{ close: () => Promise<void> }> | null = null;
  let pumping: Promise<void> | null = null;
  let again = false;

  /** Hands on everything after the cursor. */
  const pump = async (): Promise<void> => {
    do {
      again = false;
      const rows = await source.after({ after: cursor, limit: page });
      if (rows.length === 0) continue;
      cursor = rows.at(-1)!.id;
      for (const stream of streams) stream.offer(rows);
      again ||= rows.length === page;
    } while (again);
  };

  /** One reading at a time; a call during one makes it look once more. */
  const wake = (): void => {
    again = true;
    pumping ??= pump()
      .catch(onError)
      .finally(() => {
        pumping = null;
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

  /** A first client starts the hub; if that fails, the next one tries again. */
  const running = (): Promise<unknown> => {
    started ??= start();
    started.catch(() => {
      started = null;
    });
    return started;
  };

  /** An id from the future is one of a database that is no more. */
  const startFrom = async (lastEventId: string): Promise<string> => {
    const latest = await source.latest();
    return source.isAfter(lastEventId, latest) ? latest : lastEventId;
  };

  return {
    open: async ({ caller, sweep, lastEventId }) => {
      if (closed) throw new AppError('UNAVAILABLE', 'Expected the service to go on, but it is closing');
      const leave = places.take(caller);
      try {
        await running();
        const from = lastEventId === undefined ? cursor : await startFrom(lastEventId);
        const stream = createEventStream({
          source,
          cursor: from,
          bufferBytes,
          onError,
          ...(sweep !== undefined && { sweep }),
        });
        streams.add(stream);
        stream.readable.once('close', () => {
          streams.delete(stream);
          leave();
        });
        if (closed) stream.end(); // the hub closed while this one was being opened
        return stream.readable;
      } catch (error) {
        leave();
        throw error;
      }
    },
    size: () => streams.size,
    close: async () => {
      closed = true;
      await endAll(streams);
      const listening = await started?.catch(() => null);
      await listening?.close();
      await pumping;
    },
  };
};
