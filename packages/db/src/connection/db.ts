/** The pool of connections, the first argument of every operation of this package. */
import pg from 'pg';
import { databaseAddress } from './addresses.ts';
import { type Columns, typeIds } from './columns.ts';
import { withoutConnection } from './database-errors.ts';

/** A statement and the description of its result. */
export type ExecutedStatement = {
  readonly text: string;
  /** The columns that the caller declares. */
  readonly columns: Columns;
  /** The columns that PostgreSQL describes. */
  readonly fields: readonly pg.FieldDef[];
};

export type StatementListener = (statement: ExecutedStatement) => void;

export type Db = {
  /** The address in the form for the driver; contains the password. */
  readonly url: string;
  readonly pool: pg.Pool;
  readonly onStatement?: StatementListener;
  /** A connection, which the caller must release. It is younger than the last call of `replaceConnections`. */
  connect(): Promise<pg.PoolClient>;
  /** Rules out all connections that are open now: one of them did not answer, and the others may have the same fault (half-open TCP). */
  replaceConnections(): void;
  /**
   * Calls `listener` after each commit of a transaction that wrote to the outbox (`lifecycle/outbox.ts`). The returned function removes the
   * listener.
   */
  onOutbox(listener: () => void): () => void;
  /** Calls the listeners of `onOutbox`. */
  wakeRelay(): void;
  close(): Promise<void>;
};

export type DbOptions = {
  /** The largest number of connections at a time. (Default: 10) */
  readonly max?: number;
  /** Shown in `pg_stat_activity`. (Default: funnel) */
  readonly name?: string;
  /** Called for every connection that breaks while it is idle. The pool replaces it. */
  readonly onError?: (error: Error) => void;
  /** Called after every statement: tests compare its columns. */
  readonly onStatement?: StatementListener;
};

/** Reads bigint as a number: counts and ids stay far below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === typeIds.int8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as unknown as typeof pg.types.getTypeParser; // overloads of pg

/**
 * Opens no connection yet: the pool opens connections when an operation needs one, so the database may still be starting. Errors:
 * UNAVAILABLE when `address` is not the address of a PostgreSQL database.
 *
 * The timeouts limit every failure: on a connection that stays silent (half-open TCP) a query fails after 30 s, and a client that stops
 * inside a transaction loses the transaction and its locks after 10 s.
 */
export const createDb = (
  address: string,
  { max = 10, name = 'funnel', onError, onStatement }: DbOptions = {},
): Db => {
  const url = databaseAddress(address);
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    query_timeout: 30_000,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 10_000,
    types: { getTypeParser },
  });
  pool.on('error', (error) => onError?.(withoutConnection(error)));
  const openedAt = new WeakMap<pg.PoolClient, number>();
  let usableFrom = 0;
  pool.on('connect', (client) => openedAt.set(client, performance.now()));
  const connect = async (): Promise<pg.PoolClient> => {
    for (;;) {
      const client = await pool.connect();
      if (openedAt.get(client)! >= usableFrom) return client;
      client.release(true);
    }
  };
  // The pool handles errors of idle connections only. Without this handler, a connection that breaks between two statements of a
  // transaction would end the process. The handler can be empty, because the next statement on the connection fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  const outboxListeners = new Set<() => void>();
  return {
    url,
    pool,
    onStatement,
    connect,
    replaceConnections: () => {
      usableFrom = performance.now();
    },
    onOutbox: (listener) => {
      outboxListeners.add(listener);
      return () => void outboxListeners.delete(listener);
    },
    wakeRelay: () => {
      for (const listener of outboxListeners) listener();
    },
    close: () => pool.end(),
  };
};
