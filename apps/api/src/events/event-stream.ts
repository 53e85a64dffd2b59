import { Readable } from 'node:stream';
import type { FunnelEventRow } from '@funnel/contracts';

/** Where events come from: the database, narrowed to what streaming needs. Ids are in order, and none appears before one already answered. */
export type EventSource = {
  /** The next events after that id, oldest first, at most `limit`. */
  readonly after: (query: {
    readonly after: string;
    readonly sweep?: string;
    readonly limit: number;
  }) => Promise<readonly FunnelEventRow[]>;
  /** The id of the newest event that `after` would answer; that of nothing when there is none. */
  readonly latest: () => Promise<string>;
  /** Whether the event `id` comes after `cursor`; ids are opaque to everyone else. */
  readonly isAfter: (id: string, cursor: string) => boolean;
  /** Calls back when there may be more. Calls may be lost while the connection is; the hub looks for itself from time to time. */
  readonly listen: (wake: () => void) => Promise<{ readonly close: () => Promise<void> }>;
};

const texts = new WeakMap<FunnelEventRow, string>();

/**
 * One event in the text of an event stream: https://html.spec.whatwg.org/multipage/server-sent-events.html. Written once, however many
 * clients get it.
 */
export const eventText = (row: FunnelEventRow): string => {
  const written = texts.get(row) ?? `id: ${row.id}\ndata: ${JSON.stringify(row)}\n\n`;
  texts.set(row, written);
  return written;
};

/** A block without data sets the id that the client comes back with, and fires nothing. */
export const cursorText = (id: string): string => `id: ${id}\n:\n\n`;

/** One client of the event stream: what it has been sent, and how much of that it has not read yet. */

export type EventStream = {
  readonly readable: Readable;
  /** New events, as all clients get them. */
  readonly offer: (rows: readonly FunnelEventRow[]) => void;
  /** Keeps proxies from closing a quiet stream, and ends one that nobody reads. `cursor`: all up to it has been offered. */
  readonly beat: (cursor: string) => void;
  readonly end: () => void;
};

export type EventStreamOptions = {
  readonly source: Pick<EventSource, 'after' | 'isAfter'>;
  readonly sweep?: string;
  /** The last id that the client has seen. */
  readonly cursor: string;
  /** Bytes that may wait for the client before it reads from the database again, at its own pace. */
  readonly bufferBytes: number;
  readonly onError: (error: unknown) => void;
};

const page = 500;

/**
 * A stream is *live* (it takes what is offered) or *catching up* (it reads the database from its cursor, a page whenever the client has
 * read the last). It begins so and falls back to it when its buffer is full, so that no client costs more memory than another and
 * none misses an event. One that reads nothing between two beats though its buffer is full is dropped.
 */
export const createEventStream = (options: EventStreamOptions): EventStream => {
  const { source, sweep, bufferBytes } = options;
  let { cursor } = options;
  let live = false;
  /** Something was offered while catching up: look again before going live. */
  let behind = false;
  let stalled = false;
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

  /** False when the client should read first. */
  const push = (rows: readonly FunnelEventRow[]): boolean => {
    const fresh = rows.filter(
      (row) => source.isAfter(row.id, cursor) && (sweep === undefined || row.event.sweepId === sweep),
    );
    const last = fresh.at(-1);
    if (!last || readable.destroyed) return true;
    cursor = last.id;
    return readable.push(fresh.map(eventText).join(''));
  };

  const catchUp = async (): Promise<void> => {
    live = false;
    let rows: readonly FunnelEventRow[] = [];
    do {
      behind = false;
      rows = await source.after({ after: cursor, limit: page, ...(sweep !== undefined && { sweep }) });
      if (!push(rows)) await drained();
      if (readable.destroyed) return;
    } while (rows.length === page || behind);
    live = true;
  };

  const start = (): void => {
    catchUp().catch((error: unknown) => {
      options.onError(error);
      readable.destroy(); // the client comes back with its last id
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
      const waiting = readable.readableLength > 0;
      if (waiting && stalled) readable.destroy();
      else if (waiting) stalled = true;
      else {
        if (live) cursor = latest;
        readable.push(live ? cursorText(latest) : ':\n\n');
      }
    },
    end: () => readable.push(null),
  };
};
