/**
 * The event stream. Transactions do not commit in the order in which they number their rows. So a reader gets events in the order of the
 * transactions that wrote them, and only from transactions that are older than every transaction still running in this database: no event
 * can appear later before one that was read already.
 */
import { Socket } from 'node:net';
import { AppError, type FunnelEvent, type FunnelEventRow, within } from '@funnel/contracts';
import pg from 'pg';
import { int8, jsonb, timestamptz, xid8 } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { eventsChannel } from '../lifecycle/propagate.ts';

/**
 * The oldest transaction that may still run in this database. A snapshot has the running transactions of the whole server. Those that the
 * server shows in another database do not count: they write no events here, and may run for hours.
 */
const horizon = `coalesce(
  (SELECT running FROM pg_snapshot_xip(pg_current_snapshot()) AS running
   WHERE NOT EXISTS (
     SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND transactionid = running::xid AND datname <> current_database())
   ORDER BY running LIMIT 1),
  pg_snapshot_xmax(pg_current_snapshot()))`;

/** The two numbers of an id such as `812-3304`: of the transaction and of the event. The empty text comes before all events. */
const parseId = (id: string): readonly [bigint, bigint] => {
  if (id === '') return [0n, 0n];
  const match = /^(\d{1,20})-(\d{1,19})$/.exec(id);
  if (!match)
    throw new AppError(
      'INVALID_REQUEST',
      `Expected the id of an event, such as 812-3304, but got ${JSON.stringify(id)}`,
    );
  return [BigInt(match[1]!), BigInt(match[2]!)];
};

/** Whether event `id` comes after event `other`. Errors: INVALID_REQUEST. */
export const isEventAfter = (id: string, other: string): boolean => {
  const [xid, number] = parseId(id);
  const [otherXid, otherNumber] = parseId(other);
  return xid === otherXid ? number > otherNumber : xid > otherXid;
};

export type EventsQuery = {
  /** The id of the last event that was read; empty for the beginning. */
  readonly after: string;
  readonly sweep?: string;
  readonly limit: number;
};

/** The next events, oldest first. Errors: INVALID_REQUEST. */
export const eventsAfter = async (
  db: Db,
  { after, sweep, limit }: EventsQuery,
): Promise<readonly FunnelEventRow[]> => {
  const [xid, id] = parseId(after);
  const rows = await reading(db).query(
    { xid: xid8(), id: int8(), at: timestamptz(), payload: jsonb<FunnelEvent>() },
    `SELECT xid, id, at, payload FROM events
     WHERE (xid, id) > ($1::xid8, $2::bigint) AND xid < ${horizon} AND ($3::text IS NULL OR sweep_id = $3)
     ORDER BY xid, id LIMIT $4`,
    [xid.toString(), id.toString(), sweep ?? null, limit],
  );
  return rows.map((row) => ({ id: `${row.xid}-${row.id}`, at: row.at.toISOString(), event: row.payload }));
};

/** The id of the newest event that can be read; empty when there is none. */
export const lastEventId = async (db: Db): Promise<string> => {
  const [row] = await reading(db).query(
    { xid: xid8(), id: int8() },
    `SELECT xid, id FROM events WHERE xid < ${horizon} ORDER BY xid DESC, id DESC LIMIT 1`,
  );
  return row ? `${row.xid}-${row.id}` : '';
};

/** Whether committed events cannot be read yet, because an older transaction is still running. */
const hasPendingEvents = async (db: Db): Promise<boolean> => {
  const rows = await reading(db).query({}, `SELECT FROM events WHERE xid >= ${horizon} LIMIT 1`);
  return rows.length > 0;
};

const pendingDelayMs = 50;
/** The pause before a reconnection. It doubles with each failure, and half of it is random. */
const firstReconnectMs = 500;
const maxReconnectMs = 8_000;
/** `close` waits this long for the orderly end of the connection. */
const endTimeoutMs = 1_000;
/** A query checks at this interval that the connection still answers. */
const probeIntervalMs = 15_000;

/**
 * Calls `onChange` whenever there may be new events: on every notification of PostgreSQL, again while events are pending, and after every
 * reconnection, because notifications are lost while there is no connection. Never calls it after `close`.
 */
export const onEvents = async (db: Db, onChange: () => void): Promise<{ close(): Promise<void> }> => {
  let closed = false;
  let client: pg.Client | undefined;
  /** The socket of the connection that is open or opening. */
  let socket = new Socket();
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let isCheckPlanned = false;

  /** Looks for pending events before it calls `onChange`: if none was pending, the called reader finds all events. */
  const checkPending = async (): Promise<void> => {
    isCheckPlanned = false; // a notification after this line plans another check
    const pending = await hasPendingEvents(db).catch(() => false); // if the database cannot be reached, the listening connection fails too, and reconnects
    if (closed) return;
    onChange();
    if (pending) planCheck();
  };

  const planCheck = (): void => {
    if (isCheckPlanned) return;
    isCheckPlanned = true;
    setTimeout(() => void checkPending(), pendingDelayMs).unref();
  };

  const announce = (): void => {
    if (closed) return;
    onChange();
    planCheck();
  };

  const connect = async (): Promise<void> => {
    socket = new Socket();
    const next = new pg.Client({
      stream: () => socket,
      connectionString: db.direct.url,
      application_name: 'funnel events',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: 10_000,
    });
    next.on('error', () => {}); // `end` follows
    next.on('notification', announce);
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
      probeIntervalMs,
    );
    next.once('end', () => {
      clearInterval(probe);
      reconnect();
    });
  };

  const reconnect = (): void => {
    if (closed) return;
    const delay = Math.min(maxReconnectMs, firstReconnectMs * 2 ** failures++);
    retry = setTimeout(() => connect().then(announce, reconnect), delay * (0.5 + Math.random() / 2));
  };

  await connect();
  return {
    close: async () => {
      closed = true;
      clearTimeout(retry);
      if (client)
        await within(
          endTimeoutMs,
          client.end().catch(() => {}),
        );
      socket.destroy(); // needed when the server does not answer, or while a connection is opening
    },
  };
};
