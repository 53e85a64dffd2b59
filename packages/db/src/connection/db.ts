/** The pool of connections, the first argument of every operation of this package. */
import pg from 'pg';
import { databaseAddress } from './addresses.ts';
import { type Columns, typeIds } from './columns.ts';
import { withoutConnection } from './database-errors.ts';
import { isPooled, type NamedAddress } from './pooler.ts';

/** A statement and the description of its result. */
export type ExecutedStatement = {
  readonly text: string;
  /** The columns that the caller declares. */
  readonly columns: Columns;
  /** The columns that PostgreSQL describes. */
  readonly fields: readonly pg.FieldDef[];
};

export type StatementListener = (statement: ExecutedStatement) => void;

/** In whose name a transaction changes something. */
export type Author = {
  /** The name of a token or of a program. */
  readonly actor: string;
  /** The address of the caller; null for a program on this machine. */
  readonly address: string | null;
  /** Further details for every entry of the audit log, such as the id of the request. */
  readonly details?: Readonly<Record<string, unknown>>;
};

/** A table whose rows are work for the time after the commit (`lifecycle/rounds.ts`). */
export type WokenTable = 'outbox' | 'propagations' | 'searches';

export type Db = {
  /** The address in the form for the driver; contains the password. */
  readonly url: string;
  /** The address for connections that keep their state: they listen for notifications. */
  readonly direct: NamedAddress;
  readonly pool: pg.Pool;
  /** Whether connections of the pool go through a pooler, such as PgBouncer. The first connection of the pool shows it. */
  readonly isPooled: (client: pg.PoolClient) => Promise<boolean>;
  readonly onStatement?: StatementListener;
  /** Set by `actingAs`. Without an author, transactions write no audit log: workers and the reconciler need none. */
  readonly author?: Author;
  /** A connection, which the caller must release. It is younger than the last call of `replaceConnections`. */
  connect(): Promise<pg.PoolClient>;
  /** Rules out all connections that are open now: one of them did not answer, and the others may have the same fault (half-open TCP). */
  replaceConnections(): void;
  /** Calls `listener` after each commit of a transaction that wrote to the table. The returned function removes the listener. */
  onWritten(table: WokenTable, listener: () => void): () => void;
  /** Calls the listeners of `onWritten`. */
  wake(table: WokenTable): void;
  close(): Promise<void>;
};

export type DbOptions = {
  /** The address of PostgreSQL itself, if `address` is of a pooler. (Default: `address`) */
  readonly direct?: string | undefined;
  /** The largest number of connections at a time. (Default: 10) */
  readonly max?: number;
  /** Shown in `pg_stat_activity`. (Default: funnel) */
  readonly name?: string;
  /** Called for every connection that breaks while it is idle. The pool replaces it. */
  readonly onError?: (error: Error) => void;
  /** Called after every statement: tests compare its columns. */
  readonly onStatement?: StatementListener;
};

/** Milliseconds. A connection that has not answered a query by then counts as broken. */
const queryTimeoutMs = 36_000;

/**
 * The server's limit for a statement whose answer the client awaits for `queryMs` milliseconds. It is shorter, so that a slow statement ends
 * with an error of the server. The client then knows that the connection works, and keeps it.
 */
export const serverLimit = (queryMs: number): number => Math.floor((queryMs * 5) / 6);

/** Reads bigint as a number: counts and ids stay far below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === typeIds.int8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as unknown as typeof pg.types.getTypeParser; // overloads of pg

/**
 * Opens no connection yet: the pool opens connections when an operation needs one, so the database may still be starting. Errors:
 * UNAVAILABLE when `address` or `direct` is not the address of a PostgreSQL database.
 *
 * The timeouts limit every failure. PostgreSQL ends a statement that runs for 30 s, and the connection stays usable. A query without an
 * answer fails after 36 s: then the connection is silent (half-open TCP). A client that stops inside a transaction loses the transaction and
 * its locks after 10 s.
 */
export const createDb = (
  address: string,
  { direct, max = 10, name = 'funnel', onError, onStatement }: DbOptions = {},
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
    query_timeout: queryTimeoutMs,
    statement_timeout: serverLimit(queryTimeoutMs),
    idle_in_transaction_session_timeout: 10_000,
    types: { getTypeParser },
  });
  pool.on('error', (error) => onError?.(withoutConnection(error)));
  const openedAt = new WeakMap<pg.PoolClient, number>();
  let usableFrom = 0;
  let pooled: boolean | undefined;
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
  const listeners: Readonly<Record<WokenTable, Set<() => void>>> = {
    outbox: new Set(),
    propagations: new Set(),
    searches: new Set(),
  };
  return {
    url,
    direct:
      direct === undefined
        ? { url, name: 'DATABASE_URL' }
        : { url: databaseAddress(direct, 'DATABASE_DIRECT_URL'), name: 'DATABASE_DIRECT_URL' },
    pool,
    isPooled: async (client) => {
      pooled ??= await isPooled(client);
      return pooled;
    },
    onStatement,
    connect,
    replaceConnections: () => {
      usableFrom = performance.now();
    },
    onWritten: (table, listener) => {
      listeners[table].add(listener);
      return () => void listeners[table].delete(listener);
    },
    wake: (table) => {
      for (const listener of listeners[table]) listener();
    },
    close: () => pool.end(),
  };
};

/** The same database for an author: changes made through it are in the audit log, each in the transaction that makes it. */
export const actingAs = (db: Db, author: Author): Db => ({ ...db, author });
