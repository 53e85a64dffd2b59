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
