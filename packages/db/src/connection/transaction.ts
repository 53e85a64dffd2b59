/** Statements and transactions: the only way in which this package talks to PostgreSQL. */
import { AppError } from '@funnel/contracts';
import type pg from 'pg';
import {
  databaseError,
  isOfTables,
  isOutdated,
  isRetriable,
  isSilent,
  isUnreachable,
} from './database-errors.ts';
import type { Db } from './db.ts';
import { appliedMigration, checkMigration } from './schema-version.ts';

/** Where a statement runs: inside a transaction, or alone. */
export type Tx = {
  /** Rows of one statement. `Row` is what its SELECT list says; the caller states it. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The transaction wrote to the outbox: its relay is woken after the commit. */
  wakeRelay(): void;
};

type Queryable = { query(config: pg.QueryConfig): Promise<pg.QueryResult> };

/**
 * Transactions are made of a few dozen fixed texts: each connection has PostgreSQL parse and plan one of them once, under this name.
 * Texts put together from a request's filters run alone (`reading`), and are not kept.
 */
const names = new Map<string, string>();
const nameOf = (text: string): string => {
  const known = names.get(text);
  if (known) return known;
  const name = `funnel_${names.size}`;
  names.set(text, name);
  return name;
};

type Manner = {
  /** Prepared once per connection. */
  readonly named: boolean;
  /** Milliseconds for one statement to answer in. (Default: the connection's) */
  readonly patience?: number;
  readonly wakeRelay: () => void;
};

const over = (client: Queryable, { named, patience, wakeRelay }: Manner): Tx => ({
  wakeRelay,
  query: async <Row>(text: string, values: readonly unknown[] = []) => {
    const config: pg.QueryConfig & { query_timeout?: number } = { text, values: [...values] };
    if (named) config.name = nameOf(text);
    if (patience !== undefined) config.query_timeout = patience;
    const { rows } = await client.query(config);
    return rows as Row[];
  },
});

/** Gives a connection back: to the pool, or to nothing when it is broken. A silent one makes the others suspect. */
const giveBack = (db: Db, client: pg.PoolClient, broken: unknown): void => {
  if (isSilent(broken)) db.distrust();
  client.release(broken !== undefined);
};

/** `error` in words. A statement that the tables refuse after another version migrated them is SCHEMA_MISMATCH. */
const explain = async (db: Db, error: unknown): Promise<unknown> => {
  if (!isOfTables(error)) return databaseError(error);
  try {
    const { rows } = await db.pool.query(`SELECT ${appliedMigration} AS applied`);
    checkMigration(rows[0].applied, error);
  } catch (mismatch) {
    if (mismatch instanceof AppError) return mismatch;
  }
  return databaseError(error);
};

/** Single statements outside any transaction. Errors: UNAVAILABLE, STORAGE_FULL, SCHEMA_MISMATCH. */
export const reading = (db: Db): Tx => ({
  wakeRelay: db.wakeRelay,
  query: async <Row>(text: string, values?: readonly unknown[]) => {
    try {
      const client = await db.connect();
      let broken: unknown;
      try {
        return await over(client, { named: false, wakeRelay: db.wakeRelay }).query<Row>(text, values);
      } catch (error) {
        if (isUnreachable(error)) broken = error;
        throw error;
      } finally {
        giveBack(db, client, broken);
      }
    } catch (error) {
      throw await explain(db, error);
    }
  },
});

const attempts = 10;

/** 2, 4, 8, … ms, at most 200, and up to as much again at random, so that two who collided do not meet again. */
const backoff = (attempt: number): Promise<void> =>
  new Promise((resolve) => {
    const delay = Math.min(200, 2 ** attempt);
    setTimeout(resolve, delay * (1 + Math.random()));
  });

const once = async <T>(db: Db, work: (tx: Tx) => Promise<T>, patience: number | undefined): Promise<T> => {
  const client = await db.connect();
  let wroteOutbox = false;
  const wakeRelay = () => {
    wroteOutbox = true;
  };
  const tx = over(client, { named: true, patience, wakeRelay });
  let broken: unknown;
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    await tx.query('COMMIT');
    if (wroteOutbox) db.wakeRelay();
    return result;
  } catch (error) {
    if (isUnreachable(error) || isOutdated(error)) broken = error;
    // A failed ROLLBACK means a broken connection: it is thrown away, and the server rolls back.
    else
      await tx.query('ROLLBACK').catch((failure: unknown) => {
        broken = failure;
      });
    throw error;
  } finally {
    giveBack(db, client, broken);
  }
};

/**
 * Runs `work` in one READ COMMITTED transaction, again when PostgreSQL chose it as a deadlock's victim: `work` must have no effects but
 * its statements. `patience`: milliseconds for one statement to answer in. Errors: UNAVAILABLE when the connection breaks or goes silent
 * (then it is unknown whether a COMMIT under way arrived, so every operation of this package may safely be called again), STORAGE_FULL,
 * SCHEMA_MISMATCH, and what `work` throws.
 */
export const transaction = async <T>(
  db: Db,
  work: (tx: Tx) => Promise<T>,
  { patience }: { readonly patience?: number } = {},
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(db, work, patience);
    } catch (error) {
      if (!isRetriable(error) || attempt >= attempts) throw await explain(db, error);
      await backoff(attempt);
    }
  }
};
