/** One pool of connections: raw SQL on the hot paths, Prisma for plain records, both on the same pool. */
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/client.ts';
import { databaseAddress } from './addresses.ts';
import { withoutConnection } from './database-errors.ts';

export type Db = {
  /** As the driver should read it; holds the password. */
  readonly url: string;
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** A connection to be released; never one that was open when another one went silent. */
  connect(): Promise<pg.PoolClient>;
  /** A connection went silent: those opened before now may be in the same hole (half-open TCP), and are not used again. */
  distrust(): void;
  /** Calls `listener` after each commit of a transaction that wrote to the outbox (`lifecycle/outbox.ts`). Returns the end of that. */
  onOutbox(listener: () => void): () => void;
  /** Calls the listeners of `onOutbox`. */
  wakeRelay(): void;
  close(): Promise<void>;
};

export type DbOptions = {
  /** Connections at most. (Default: 10) */
  readonly max?: number;
  /** Shown in `pg_stat_activity`. (Default: funnel) */
  readonly name?: string;
  /** Told of connections that broke while idle; they are replaced by themselves. */
  readonly onError?: (error: Error) => void;
};

const int8 = 20;

/** bigint comes as a number: counts and ids here stay far below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === int8
    ? Number
    : pg.types.getTypeParser(oid, format as 'text')) as unknown as typeof pg.types.getTypeParser; // overloads of pg

/**
 * Opens nothing yet: connections are made when they are needed, so this works while the database is still starting. Errors: UNAVAILABLE
 * when `address` is none.
 *
 * The timeouts keep every failure finite: a connection that went silent (half-open TCP) fails the query after 30 s, and a client that
 * was stopped inside a transaction loses it, and its locks, after 10 s.
 */
export const createDb = (address: string, { max = 10, name = 'funnel', onError }: DbOptions = {}): Db => {
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
  const opened = new WeakMap<pg.PoolClient, number>();
  let distrusted = 0;
  pool.on('connect', (client) => opened.set(client, performance.now()));
  const connect = async (): Promise<pg.PoolClient> => {
    for (;;) {
      const client = await pool.connect();
      if (opened.get(client)! >= distrusted) return client;
      client.release(true);
    }
  };
  // The pool listens to idle connections only; one that breaks between two statements of a transaction would end the process. The next
  // statement on it fails, which is enough.
  pool.on('connect', (client) => client.on('error', () => {}));
  const outboxListeners = new Set<() => void>();
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    url,
    pool,
    prisma,
    connect,
    distrust: () => {
      distrusted = performance.now();
    },
    onOutbox: (listener) => {
      outboxListeners.add(listener);
      return () => void outboxListeners.delete(listener);
    },
    wakeRelay: () => {
      for (const listener of outboxListeners) listener();
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
};
