/**
 * The event stream. Transactions commit in another order than they number their rows, so rows are read in the order of the transactions
 * that wrote them, and only those older than every transaction still under way: what is read once stays complete behind the reader.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type FunnelEvent, type FunnelEventRow } from '@funnel/contracts';
import pg from 'pg';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { eventsChannel } from '../lifecycle/propagate.ts';

type Row = { readonly xid: string; readonly id: number; readonly at: Date; readonly payload: FunnelEvent };

const horizon = 'pg_snapshot_xmin(pg_current_snapshot())';

/** An id is the number of its transaction and its own, `812-3304`; the empty text comes before all. */
const parse = (id: string): readonly [bigint, bigint] => {
  if (id === '') return [0n, 0n];
  const match = /^(\d{1,20})-(\d{1,19})$/.exec(id);
  if (!match)
    throw new AppError(
      'INVALID_REQUEST',
      `Expected the id of an event, such as 812-3304, but got ${JSON.stringify(id)}`,
    );
  return [BigInt(match[1]!), BigInt(match[2]!)];
};

/** Whether event `id` comes after `other`. Errors: INVALID_REQUEST. */
export const isEventAfter = (id: string, other: string): boolean => {
  const [xid, number] = parse(id);
  const [otherXid, otherNumber] = parse(other);
  return xid === otherXid ? number > otherNumber : xid > otherXid;
};

export type EventsQuery = {
  /** The id of the last one seen; empty for the beginning. */
  readonly after: string;
  readonly sweep?: string;
  readonly limit: number;
};

/** The next events, oldest first. Errors: INVALID_REQUEST. */
export const eventsAfter = async (
  db: Db,
  { after, sweep, limit }: EventsQuery,
): Promise<readonly FunnelEventRow[]> => {
  const [xid, id] = parse(after);
  const rows = await reading(db).query<Row>(
    `SELECT xid, id, at, payload FROM events
     WHERE (xid, id) > ($1::xid8, $2::bigint) AND xid < ${horizon} AND ($3::text IS NULL OR sweep_id = $3)
     ORDER BY xid, id LIMIT $4`,
    [xid.toString(), id.toString(), sweep ?? null, limit],
  );
  return rows.map((row) => ({ id: `${row.xid}-${row.id}`, at: row.at.toISOString(), event: row.payload }));
};

/** The id of the newest event that can be read; empty when there is none. */
export const lastEventId = async (db: Db): Promise<string> => {
  const [row] = await reading(db).query<{ xid: string; id: number }>(
    `SELECT xid, id FROM events WHERE xid < ${horizon} ORDER BY xid DESC, id DESC LIMIT 1`,
  );
  return row ? `${row.xid}-${row.id}` : '';
};

/** Committed events that an older transaction, still under way, holds back. */
const isHeldBack = async (db: Db): Promise<boolean> => {
  const rows = await reading(db).query(`SELECT FROM events WHERE xid >= ${horizon} LIMIT 1`);
  return rows.length > 0;
};

const heldBackDelay = 50;
/** Milliseconds between two attempts to reconnect: doubled with each failure, half of it random. */
const firstReconnect = 500;
const longestReconnect = 8_000;
/** Milliseconds for a connection to end in order. */
const endPatience = 1_000;
/** A connection that went silent is noticed by a question at this interval. */
const probeInterval = 15_000;

/**
 * Calls `wake` whenever there may be new events: on every announcement, again for as long as some are held back, and after every
 * reconnection, since announcements are lost while there is no connection. Never calls after `close`.
 */
export const onEvents = async (db: Db, wake: () => void): Promise<{ close(): Promise<void> }> => {
  let closed = false;
  let client: pg.Client | undefined;
  /** Of the connection that is there or being made. */
  let socket = new Socket();
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let looking = false;

  /** Looks before it wakes: when the last look found nothing held back, the reader that it wakes finds everything. */
  const follow = async (): Promise<void> => {
    looking = false; // an announcement that comes from here on is looked after again
    const held = await isHeldBack(db).catch(() => false); // unreachable: the listening connection notices too, and wakes after
    if (closed) return;
    wake();
    if (held) lookAgain();
  };

  const lookAgain = (): void => {
    if (looking) return;
    looking = true;
    setTimeout(() => void follow(), heldBackDelay).unref();
  };

  const tell = (): void => {
    if (closed) return;
    wake();
    lookAgain();
  };

  const connect = async (): Promise<void> => {
    socket = new Socket();
    const next = new pg.Client({
      stream: () => socket,
      connectionString: db.url,
      application_name: 'funnel events',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: 10_000,
    });
    next.on('error', () => {}); // followed by `end`
    next.on('notification', tell);
    try {
      await next.connect();
      await next.query(`LISTEN ${eventsChannel}`);
    } catch (error) {
      next.end().catch(() => {});
      throw error;
    }
    failures = 0;
    client = next;
    const probe = setInterval(
      () => next.query('SELECT 1').catch(() => next.end().catch(() => {})),
      probeInterval,
    );
    next.once('end', () => {
      clearInterval(probe);
      reconnect();
    });
  };

  const reconnect = (): void => {
    if (closed) return;
    const delay = Math.min(longestReconnect, firstReconnect * 2 ** failures++);
    retry = setTimeout(() => connect().then(tell, reconnect), delay * (0.5 + Math.random() / 2));
  };

  await connect();
  return {
    close: async () => {
      closed = true;
      clearTimeout(retry);
      const inTime = new AbortController();
      const late = sleep(endPatience, undefined, { signal: inTime.signal }).catch(() => {});
      await Promise.race([client?.end().catch(() => {}), late]);
      inTime.abort();
      socket.destroy(); // of a server that does not answer, and of a connection that is just being made
    },
  };
};
