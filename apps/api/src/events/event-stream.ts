/** The event stream of one client. It remembers which events the client has got, and which bytes the client has not read. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FunnelEventRow } from '@funnel/contracts';

/**
 * A source of events: the part of the database that streams need. Ids are ordered, and a new event never comes before one that `after`
 * has already returned.
 */
export type EventSource = {
  /** The next events after the id `after`: the oldest first, `limit` at most. */
  readonly after: (query: {
    readonly after: string;
    readonly sweep?: string;
    readonly limit: number;
  }) => Promise<readonly FunnelEventRow[]>;
  /** The id of the newest event that `after` can return. If there is none, an id that comes before every event. */
  readonly latest: () => Promise<string>;
  /** Whether the event `id` comes after `cursor`. Only this function interprets ids. */
  readonly isAfter: (id: string, cursor: string) => boolean;
  /**
   * Calls `wake` when there may be new events. While the connection to the database is down, `wake` is not called. So the event hub
   * (event-hub.ts) also reads at every heartbeat.
   */
  readonly listen: (wake: () => void) => Promise<{ readonly close: () => Promise<void> }>;
};

const texts = new WeakMap<FunnelEventRow, string>();

/**
 * One event in the text of an event stream: https://html.spec.whatwg.org/multipage/server-sent-events.html. The text is made once for all
 * clients.
 */
export const eventText = (row: FunnelEventRow): string => {
  const text = texts.get(row) ?? `id: ${row.id}\ndata: ${JSON.stringify(row)}\n\n`;
  texts.set(row, text);
  return text;
};

/**
 * A block without data: the client remembers its id for the next connection, and no event fires. The comment repeats the id, because some
 * parsers report an id only when the block has data.
 */
export const cursorText = (id: string): string => `id: ${id}\n: id ${id}\n\n`;

export type EventStream = {
  readonly readable: Readable;
  /** Gives the stream new events. Every client is offered the same events. */
  readonly offer: (rows: readonly FunnelEventRow[]) => void;
  /**
   * Sends a heartbeat, which keeps proxies from closing a quiet stream, and ends the stream if its client does not read. `cursor` is the id
   * of the last event that was offered.
   */
  readonly beat: (cursor: string) => void;
  readonly end: () => void;
};

export type EventStreamOptions = {
  readonly source: Pick<EventSource, 'after' | 'isAfter'>;
  readonly sweep?: string;
  /** The id of the last event that the client has got. */
  readonly cursor: string;
  /** Bytes that may wait for the client. When more wait, the stream goes on with events from the database, as fast as the client reads. */
  readonly bufferBytes: number;
  /** Runs `read` when it is this stream's turn to read from the database. Few streams read at a time. */
  readonly inTurn: (read: () => Promise<void>) => Promise<void>;
  readonly onError: (error: unknown) => void;
};

/** The largest number of events that one query reads. */
const pageSize = 500;

/**
 * A stream is *live* (it sends the events that it is offered) or *catching up* (it reads events from the database page by page, and reads the
 * next page when the client has read the previous one). Each page waits for the stream's turn. It begins with catching up, and catches up
 * again whenever its buffer has been full. So the memory for each client is bounded, and no client misses an event. The stream drops a client
 * that has data to read but reads nothing between two heartbeats.
 */
export const createEventStream = (options: EventStreamOptions): EventStream => {
  const { source, sweep, bufferBytes, inTurn } = options;
  let { cursor } = options;
  let live = false;
  /** True when events were offered while the stream was catching up: it must read once more before it goes live. */
  let behind = false;
  /** True when data was waiting at the last heartbeat, and the client has not read since. */
  let stalled = false;
  let ended = false;
  let onDrained = (): void => {};

  const readable = new Readable({
    highWaterMark: bufferBytes,
    read: () => {
      stalled = false;
      onDrained();
    },
  });

  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      onDrained = resolve;
      readable.once('close', resolve);
    });

  /** Whether nothing more can be sent. */
  const isOver = (): boolean => ended || readable.destroyed;

  /** Returns false if the buffer is full now. */
  const push = (rows: readonly FunnelEventRow[]): boolean => {
    const fresh = rows.filter(
      (row) => source.isAfter(row.id, cursor) && (sweep === undefined || row.event.sweepId === sweep),
    );
    const last = fresh.at(-1);
    if (!last || isOver()) return true;
    cursor = last.id;
    return readable.push(fresh.map(eventText).join(''));
  };

  const catchUp = async (): Promise<void> => {
    live = false;
    let hasMore = true;
    while (hasMore) {
      let untilDrained: Promise<void> | undefined;
      await inTurn(async () => {
        if (isOver()) return; // it ended while it waited for its turn
        behind = false;
        const rows = await source.after({
          after: cursor,
          limit: pageSize,
          ...(sweep !== undefined && { sweep }),
        });
        if (!push(rows)) untilDrained = drained(); // before the client can read
        hasMore = rows.length === pageSize;
        await setImmediate(); // the API answers other requests before anybody reads the next page
      });
      await untilDrained;
      if (isOver()) return;
      hasMore ||= behind;
    }
    live = true;
  };

  const start = (): void => {
    catchUp().catch((error: unknown) => {
      options.onError(error);
      readable.destroy(); // the client connects again with its last id
    });
  };

  readable.push(`retry: 2000\n${cursorText(cursor)}`);
  start();

  return {
    readable,
    offer: (rows) => {
      if (!live) behind = true;
      else if (!push(rows)) {
        live = false;
        behind = true;
        drained().then(start);
      }
    },
    beat: (latest) => {
      if (isOver()) return;
      const waiting = readable.readableLength > 0;
      if (waiting && stalled) readable.destroy();
      else if (waiting) stalled = true;
      else {
        if (live) cursor = latest;
        readable.push(live ? cursorText(latest) : ':\n\n');
      }
    },
    end: () => {
      ended = true;
      readable.push(null);
    },
  };
};
