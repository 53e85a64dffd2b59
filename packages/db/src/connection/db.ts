/** The pool of connections that every operation of this package takes first. */
import pg from 'pg';
import { databaseAddress } from './addresses.ts';
import { type Columns, typeIds } from './columns.ts';
import { withoutConnection } from './database-errors.ts';

/** A statement that was answered. */
export type ExecutedStatement = {
  readonly text: string;
  /** What the caller says that it gives. */
  readonly columns: Columns;
  /** What PostgreSQL says that it gives. */
  readonly fields: readonly pg.FieldDef[];
};

export type StatementListener = (statement: ExecutedStatement) => void;

export type Db = {
  /** As the driver should read it; holds the password. */
  readonly url: string;
  readonly pool: pg.Pool;
  readonly onStatement?: StatementListener;
  /** A connection, which the caller must release. Never one that `replaceConnections` ruled out. */
  connect(): Promise<pg.PoolClient>;
  /** No connection that was opened before now is used again: one of them did not answer, and the others may have the same fault (half-open TCP). */
  replaceConnections(): void;
  /** Calls `listener` after each commit of a transaction that wrote to the outbox (`lifecycle/outbox.ts`). The returned function ends that. */
  onOutbox(listener: () => void): () => void;
  /** Calls the listeners of `onOutbox`. */
  wakeRelay(): void;
  close(): Promise<void>;
};

export type DbOptions = {
  /** The most connections at a time. (Default: 10) */
  readonly max?: number;
  /** Shown in `pg_stat_activity`. (Default: funnel) */
  readonly name?: string;
  /** Called for every connection that breaks while it is idle. The pool replaces it. */
  readonly onError?: (error: Error) => void;
  /** Called for every statement that was answered: tests compare its columns. */
  readonly onStatement?: StatementListener;
};

/** bigint comes as a number: counts and ids here stay far below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === typeIds.int8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as unknown as typeof pg.types.getTypeParser; // overloads of pg

/**
 * Opens nothing yet: the pool makes connections when they are needed, so this works while the database still starts. Errors: UNAVAILABLE
 * when `address` is not the address of a PostgreSQL database.
 *
 * The timeouts end every failure: a connection that stays silent (half-open TCP) fails the query after 30 s, and a client that was stopped
 * inside a transaction loses it, and its locks, after 10 s.
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
  // transaction would end the process. The next statement on it fails, which is enough.
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
